package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	microerrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
)

// contentType is that of requests and messages that name none.
const contentType = "application/proto"

// DefaultMaxRecvMsgSize is the largest answer, in bytes, that a client takes.
var DefaultMaxRecvMsgSize = 4 << 20

// httpClient is a client. All that changes in it hangs on one pointer, which Init
// replaces.
type httpClient struct {
	current atomic.Pointer[state]
	codecs  rpc.Codecs

	mu        sync.Mutex // serialises Init, Close and the making of publisher
	closed    bool
	publisher client.Client // nil before the first message
}

// state is a client's options with what follows from them. It is not changed once made.
type state struct {
	opts   client.Options
	rt     *RoundTripper
	invoke client.CallFunc // one attempt, within the client's wrappers
}

var (
	_ client.Client = (*httpClient)(nil)
	_ io.Closer     = (*httpClient)(nil)
)

// NewClient returns a client that calls by HTTP, as go-micro's plugin client/http does:
// the endpoint of a request is the path that is posted to, with or without its slash,
// the metadata of the context are headers, and the content type says how bodies are
// encoded: application/json, application/proto, which is the default, and what these
// are also called. Nodes
// are chosen, and calls made again, as by a [RoundTripper].
//
// An answer with a status of 400 or more is an error with that code; the text of an
// *errors.Error in it is taken for one.
//
// It has no streams, and publishes as the client of client/grpc does. Nothing is started
// before its first call. Close it, by way of io.Closer, to end what its calls have started.
func NewClient(opts ...client.Option) client.Client {
	all := append([]client.Option{client.ContentType(contentType)}, opts...)
	o := client.NewOptions(all...)
	// JSON spells the fields of messages as the .proto file does: handlers of HTTP are
	// written for that.
	hc := &httpClient{codecs: rpc.NewServerCodecs(nil)}
	hc.current.Store(newState(hc, o))
	var c client.Client = hc
	for _, w := range slices.Backward(o.Wrappers) {
		c = w(c)
	}
	return c
}

func newState(c *httpClient, o client.Options) *state {
	s := &state{opts: o, rt: NewRoundTripper(func(into *client.Options) { *into = o })}
	s.invoke = wrap(c.attempt(s), o.CallOptions.CallWrappers)
	return s
}

// wrap surrounds f with the wrappers, the first outermost.
func wrap(f client.CallFunc, wrappers []client.CallWrapper) client.CallFunc {
	for _, w := range slices.Backward(wrappers) {
		f = w(f)
	}
	return f
}

// Init applies options; calls that have begun go on with those that they began with.
func (c *httpClient) Init(opts ...client.Option) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("set up the client: %w", client.ErrClosed)
	}
	old := c.current.Load()
	o := old.opts
	for _, opt := range opts {
		opt(&o)
	}
	c.current.Store(newState(c, o))
	var err error
	if c.publisher != nil {
		err = c.publisher.Init(opts...)
	}
	return errors.Join(err, old.rt.Close())
}

// Options returns the options in force.
func (c *httpClient) Options() client.Options { return c.current.Load().opts }

// NewRequest prepares a request for Call. The endpoint is a path.
func (c *httpClient) NewRequest(service, endpoint string, req any, opts ...client.RequestOption) client.Request {
	var o client.RequestOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.ContentType == "" {
		o.ContentType = c.Options().ContentType
	}
	return &request{service: service, endpoint: endpoint, contentType: o.ContentType, body: req, stream: o.Stream, idempotent: o.Idempotent}
}

// Stream returns an error with code 501.
func (c *httpClient) Stream(_ context.Context, req client.Request, _ ...client.CallOption) (client.Stream, error) {
	service := ""
	if req != nil {
		service = req.Service()
	}
	return nil, microerrors.New(rpc.ClientID, fmt.Sprintf("open a stream to %q: HTTP has none here; use the client of client/grpc, or a RoundTripper of client/http and read from the answer", service), http.StatusNotImplemented)
}

// NewMessage prepares a message for Publish.
func (c *httpClient) NewMessage(topic string, msg any, opts ...client.MessageOption) client.Message {
	return c.publishes().NewMessage(topic, msg, opts...)
}

// Publish hands the message to the broker, as the client of client/grpc does.
func (c *httpClient) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	return c.publishes().Publish(ctx, msg, opts...)
}

// publishes returns what publishes for c.
func (c *httpClient) publishes() client.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.publisher == nil {
		o := c.current.Load().opts
		o.Wrappers = nil // they surround c
		c.publisher = cgrpc.NewClient(func(into *client.Options) { *into = o })
		if c.closed {
			_ = c.publisher.(io.Closer).Close() // it only says that it is closed
		}
	}
	return c.publisher
}

// Close ends what calls have started. Calls made from then on fail. It may be called
// more than once.
func (c *httpClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	err := c.current.Load().rt.Close()
	if p, ok := c.publisher.(io.Closer); ok {
		err = errors.Join(err, p.Close())
	}
	return err
}

// String returns "http".
func (c *httpClient) String() string { return "http" }
