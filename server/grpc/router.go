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
	defer c.streams.enter(ctx, stream).leave()
	md, _ := metadata.FromContext(ctx)
	r := &routedRequest{
		exchange: exchange{calls: c, stream: stream, codec: cc}, service: rpc.PathPrefix(path),
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
	return c.wrap(serve)(ctx, r, routedResponse{r})
}

// routedRequest is the server.Request that a Router gets.
type routedRequest struct {
	exchange
	service     string
	endpoint    string
	contentType string
	header      map[string]string
}

var _ server.Request = (*routedRequest)(nil)

func (r *routedRequest) Service() string           { return r.service }
func (r *routedRequest) Method() string            { return r.endpoint }
func (r *routedRequest) Endpoint() string          { return r.endpoint }
func (r *routedRequest) ContentType() string       { return r.contentType }
func (r *routedRequest) Header() map[string]string { return r.header }
func (r *routedRequest) Body() any                 { return nil }
func (r *routedRequest) Codec() codec.Reader       { return routedCodec{r} }
func (r *routedRequest) Stream() bool              { return true }

// Read returns the next message undecoded, io.EOF after the last.
func (r *routedRequest) Read() ([]byte, error) {
	var f bytes.Frame
	err := r.receive(&f)
	return f.Data, err
}

// routedResponse is the server.Response that a Router gets.
type routedResponse struct{ request *routedRequest }

var _ server.Response = routedResponse{}

func (r routedResponse) Codec() codec.Writer { return routedCodec(r) }

// WriteHeader does nothing: an answer over gRPC has no headers of the program's
// own, as in v2.
func (r routedResponse) WriteHeader(map[string]string) {}

// Write sends b as one message.
func (r routedResponse) Write(b []byte) error { return r.request.send(&bytes.Frame{Data: b}) }

// routedCodec is what a Router reads messages from and writes them to.
type routedCodec struct{ request *routedRequest }

var _ codec.Codec = routedCodec{}

// ReadHeader fills in what was called.
func (c routedCodec) ReadHeader(m *codec.Message, _ codec.MessageType) error {
	if m != nil {
		m.Target, m.Method, m.Endpoint = c.request.service, c.request.endpoint, c.request.endpoint
		m.Header = c.request.header
	}
	return nil
}

// ReadBody decodes the next message into v; a *bytes.Frame takes it as it is, nil
// drops it.
func (c routedCodec) ReadBody(v any) error {
	if v == nil {
		v = &bytes.Frame{}
	}
	return c.request.receive(v)
}

// Write sends v or, if it is nil, the bytes in m.
func (c routedCodec) Write(m *codec.Message, v any) error {
	if v == nil {
		v = &bytes.Frame{Data: m.Body}
	}
	return c.request.send(v)
}

// Close does nothing: the stream ends when the Router returns.
func (c routedCodec) Close() error { return nil }

// String returns "grpc".
func (c routedCodec) String() string { return "grpc" }
