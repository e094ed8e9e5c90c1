package grpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/conn"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// attempt returns the func that makes one attempt, on a given node.
func (c *grpcClient) attempt(s *state) client.CallFunc {
	return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, co client.CallOptions) error {
		return c.try(ctx, s, pick.Target{Node: node}, req, rsp, &co)
	}
}

// try makes one attempt. It looks up the connection where the target has none: a
// wrapper of the program may have chosen another node. It runs all of it in the
// caller's goroutine, so nothing touches rsp once it has returned.
func (c *grpcClient) try(ctx context.Context, s *state, to pick.Target, req client.Request, rsp any, co *client.CallOptions) error {
	codec, err := s.codecs.Find(req.ContentType())
	if err != nil {
		return failure(textOf(err), err)
	}
	opts, own := s.options[codec], callSettingsOf(co.Context)
	if own != s.perCall { // what the call has beyond the client's
		opts = slices.Concat(opts, own.call[min(len(s.perCall.call), len(own.call)):])
	}
	cc, done := grpc.ClientConnInterface(to.Conn), func() {}
	if to.Conn == nil || len(own.dial) > len(s.perCall.dial) {
		cc, done, err = s.connect(req.Service(), to.Node, co, own)
	}
	if err == nil {
		out, dropped := rpc.Outgoing(ctx)
		c.warnDropped(dropped)
		if st, ok := rsp.(*stream); ok {
			return c.attempted(ctx, s, to, req, own, st.open(out, cc, done, codec, own, opts))
		}
		defer done()
		err = cc.Invoke(out, rpc.Path(req.Service(), req.Endpoint()), req.Body(), rsp, opts...)
	}
	return c.attempted(ctx, s, to, req, own, err)
}

// attempted returns what the caller gets for the error of an attempt, nil for none.
func (c *grpcClient) attempted(ctx context.Context, s *state, to pick.Target, req client.Request, own *callSettings, err error) error {
	if err == nil {
		return nil
	}
	if endpoint.Unwritten(err) || status.Code(err) == codes.Unimplemented {
		// Nobody has the address, or maybe another service by now.
		s.backends.directory.Failed(to.Node.Address)
	}
	if own.raw {
		return err
	}
	return callError(ctx, req, err)
}

// connect returns the connection to a node for calls to a service, and what to call when the attempt is
// over.
func (s *state) connect(service string, node *registry.Node, co *client.CallOptions, own *callSettings) (cc grpc.ClientConnInterface, done func(), err error) {
	done = func() {}
	if len(own.dial) > len(s.perCall.dial) {
		e, err := endpoint.OfNode(node)
		if err != nil {
			return nil, done, &endpoint.ConnectError{Address: node.Address, Err: err}
		}
		e, _ = s.backends.adapt(service, e) // the call's own options may see to TLS
		set := conn.New(s.backends.connOptions(own.dial))
		cc, err = set.Direct(e)
		return cc, set.Close, err
	}
	if len(co.Address) > 0 || s.custom != nil {
		cc, err = s.backends.direct(service, node)
		return cc, done, err
	}
	cc, err = s.backends.connect(service, node)
	if err != nil && !endpoint.Unwritten(err) {
		err = &endpoint.ConnectError{Address: node.Address, Err: err}
	}
	return cc, done, err
}

// warnDropped logs the names of metadata that cannot be sent, each once.
func (c *grpcClient) warnDropped(names []string) {
	for _, name := range names {
		if c.dropped.First(name) {
			logger.Warnf("Client [grpc] Leave metadata %q out of calls: only letters, digits and -_. can stand in the name of a header", name)
		}
	}
}
