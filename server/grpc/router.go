package grpc

import (
	"context"
	"net/http"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// route hands the call to the Router, its messages undecoded.
func (c *calls) route(ctx context.Context, stream grpc.ServerStream, path, endpoint, contentType string) error {
	cc, err := c.codecs.Find(contentType)
	if err != nil {
		return errors.New(rpc.ServerID, err.Error(), http.StatusInternalServerError)
	}
	md, _ := metadata.FromContext(ctx)
	r := &routed{
		calls: c, stream: stream, codec: cc, service: rpc.PathPrefix(path),
		endpoint: endpoint, contentType: contentType, header: md,
	}
	serve := func(ctx context.Context, req server.Request, rsp any) (err error) {
		defer c.recovery.recoverTo(&err)
		out, ok := rsp.(server.Response)
		if !ok {
			return errors.InternalServerError(rpc.ServerID, "route %s: a wrapper replaced the response by a %T, which is no server.Response", rpc.Excerpt(endpoint), rsp)
		}
		return c.router.ServeRequest(ctx, req, out)
	}
	return c.wrap(serve)(ctx, r, answer{r})
}

// routed is the server.Request that a Router gets.
type routed struct {
	calls       *calls
	stream      grpc.ServerStream
	codec       *rpc.Codec
	service     string
	endpoint    string
	contentType string
	header      map[string]string
}

var _ server.Request = (*routed)(nil)

func (r *routed) Service() string           { return r.service }
func (r *routed) Method() string            { return r.endpoint }
func (r *routed) Endpoint() string          { return r.endpoint }
func (r *routed) ContentType() string       { return r.contentType }
func (r *routed) Header() map[string]string { return r.header }
func (r *routed) Body() any                 { return nil }
func (r *routed) Codec() codec.Reader       { return frames{r} }
func (r *routed) Stream() bool              { return true }

// Read returns the next message undecoded, io.EOF after the last.
func (r *routed) Read() ([]byte, error) {
	var f bytes.Frame
	err := frames{r}.ReadBody(&f)
	return f.Data, err
}

// answer is the server.Response that a Router gets.
type answer struct {
	*routed
}

var _ server.Response = answer{}

func (a answer) Codec() codec.Writer { return frames(a) }

// WriteHeader does nothing: an answer over gRPC has no headers of the program's
// own, as in v2.
func (a answer) WriteHeader(map[string]string) {}

// Write sends b as one message.
func (a answer) Write(b []byte) error {
	return frames(a).Write(&codec.Message{Body: b}, nil)
}
