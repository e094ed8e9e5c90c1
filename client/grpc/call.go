package grpc

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/attempt"
	"github.com/rollcall-go/micro/internal/endpoint"
)

// Call sends the request to a node of the service and decodes the answer into rsp.
//
// All attempts together end with the deadline of ctx. WithRequestTimeout, given to
// this call, bounds them as well, whichever is shorter; the timeout of the
// client's options bounds only a call whose ctx has no deadline. A timeout of zero
// or less is no bound. DialTimeout is taken from the client's options alone, as
// connections are shared.
func (c *grpcClient) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	if req == nil {
		return failure("req is nil", nil)
	}
	if rsp == nil {
		return failure("rsp is nil", nil)
	}
	s, err := c.enter()
	if err != nil {
		return err
	}
	defer s.backends.leave()

	co, timeout := s.opts.CallOptions, time.Duration(0)
	if len(opts) > 0 {
		co, timeout = s.with(opts)
	}
	if _, bounded := ctx.Deadline(); !bounded && timeout <= 0 {
		timeout = co.RequestTimeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if expired(ctx) != nil {
		return timeoutError(ctx, "")
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		co.RequestTimeout = time.Until(deadline)
	}
	return c.attempts(ctx, s, req, rsp, co)
}

// with returns the options of a call with the given ones applied, and the timeout
// among these, zero if there was none.
func (s *state) with(opts []client.CallOption) (co client.CallOptions, timeout time.Duration) {
	co, given := client.ApplyCallOptions(s.opts.CallOptions, opts...)
	if given&client.SettingRequestTimeout != 0 {
		timeout = co.RequestTimeout
	}
	return co, timeout
}

// attempts tries the call until it succeeds or may not be tried again.
func (c *grpcClient) attempts(ctx context.Context, s *state, req client.Request, rsp any, co client.CallOptions) error {
	invoke, wrapped := s.invoke, len(co.CallWrappers) > 0
	if !sameWrappers(co.CallWrappers, s.opts.CallOptions.CallWrappers) {
		invoke = wrap(s.unwrapped, co.CallWrappers)
	}
	r := route{state: s, service: req.Service()}
	if err := r.begin(ctx, c, &co); err != nil {
		return err
	}
	idempotent := client.Idempotent(req, &co)
	p := c.plan(&r, rsp, idempotent, &co)
	unrun, never, last := false, true, "" // never: nothing of any attempt was written
	for i := 0; ; i++ {
		to, err := r.next(ctx)
		if err == nil {
			// Nothing that an attempt elsewhere could overload has seen this call.
			if elsewhere := unrun && to.Node.Address != last; !elsewhere {
				if err := backOff(ctx, req, i, co.Backoff); err != nil {
					p.failed(ctx, i)
					return err
				}
			}
			last = to.Node.Address
			switch {
			case p.hedged:
				// Copies, so that those of all other calls stay on the stack.
				was, planned := r, p
				to, err = c.hedged(ctx, s, &was, &planned, invoke, wrapped, to, req, rsp, co)
				r, p = was, planned
			case wrapped:
				err = invoke(ctx, to.Node, req, rsp, co)
			default:
				err = c.try(ctx, s, to, req, rsp, &co)
			}
			r.mark(to.Node, err)
		}
		if err == nil {
			return nil
		}
		if expired(ctx) != nil {
			p.failed(ctx, i)
			return err
		}
		unwritten := endpoint.Unwritten(err)
		unrun = unwritten || turnedAway(to.Node, err)
		never = never && unwritten
		again, rerr := retry(ctx, req, i, err, attempt.Facts{Unrun: unrun, Idempotent: idempotent}, co.Retry)
		if rerr != nil {
			p.failed(ctx, i)
			return rerr
		}
		if !again || i >= co.Retries || !unwritten && !p.again(unrun) {
			p.failed(ctx, i)
			return r.outcome(err, never, &co)
		}
	}
}

// sameWrappers reports whether a is b and not merely equal: funcs cannot be
// compared.
func sameWrappers(a, b []client.CallWrapper) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
