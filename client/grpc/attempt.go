package grpc

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/conn"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// attempt returns the func that makes one attempt, on a given node. It runs all
// of it in the caller's goroutine, so nothing touches rsp once it has returned.
func (c *grpcClient) attempt(s *setup) client.CallFunc {
	return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, co client.CallOptions) error {
		codec, err := s.codecs.Find(req.ContentType())
		if err != nil {
			return failure(err.Error(), err)
		}
		opts, own := s.options[codec], callSettingsOf(co.Context)
		if own != s.perCall { // what the call has beyond the client's
			opts = slices.Concat(opts, own.call[min(len(s.perCall.call), len(own.call)):])
		}
		cc, done, err := s.connect(node.Address, &co, own)
		if err == nil {
			defer done()
			out, dropped := rpc.Outgoing(ctx)
			c.dropped.warn(dropped)
			err = cc.Invoke(out, rpc.Path(req.Service(), req.Endpoint()), req.Body(), rsp, opts...)
		}
		if err == nil {
			return nil
		}
		if conn.Unwritten(err) || status.Code(err) == codes.Unimplemented {
			// Nobody has the address, or maybe another service by now.
			s.network.directory.Failed(node.Address)
		}
		if own.raw {
			return err
		}
		return callError(ctx, err)
	}
}

// connect returns the connection to the address and what to call when the attempt
// is over.
func (s *setup) connect(address string, co *client.CallOptions, own *callSettings) (cc grpc.ClientConnInterface, done func(), err error) {
	if len(own.dial) > len(s.perCall.dial) {
		n := &network{plan: s.network.plan, directory: s.network.directory}
		n.dial = own.dial
		n.plain, n.secure = n.sets()
		set, host := n.at(address)
		cc, err = set.Direct(host)
		return cc, set.Close, err
	}
	set, host := s.network.at(address)
	var c *conn.Conn
	if len(co.Address) > 0 || s.own != nil {
		c, err = set.Direct(host)
	} else {
		c, err = set.Node(host)
	}
	return c, func() {}, err
}

// dropped are the names of metadata that cannot be sent and were warned of.
type dropped struct {
	mu    sync.Mutex
	names map[string]bool
}

// maxDropped bounds how many names are warned of: they may come from outside.
const maxDropped = 100

// warn logs each name once.
func (d *dropped) warn(names []string) {
	if len(names) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		if d.names[name] || len(d.names) >= maxDropped {
			continue
		}
		if d.names == nil {
			d.names = map[string]bool{}
		}
		d.names[name] = true
		logger.Warnf("Leave metadata %q out of calls: only letters, digits and -_. can stand in the name of a header", name)
	}
}
