package http

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/calling"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/registry"
)

// RoundTrip makes one request. The host of its address is the name of a service.
func (rt *RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Host == "" {
		closeBody(req)
		return nil, fmt.Errorf("make a request: the address has no host, which is the name of the service")
	}
	if !named(req.URL.Hostname(), req.URL.Port()) {
		return rt.direct.RoundTrip(req)
	}
	if !rt.start() {
		closeBody(req)
		return nil, fmt.Errorf("make a request: %w", client.ErrClosed)
	}
	s := succession{rt: rt, service: req.URL.Host}
	if err := s.begin(req.Context(), nil); err != nil {
		closeBody(req)
		return nil, err
	}
	return rt.attempts(req, &s)
}

// attempts makes a request until there is an answer or it may not be made again.
func (rt *RoundTripper) attempts(req *http.Request, s *succession) (*http.Response, error) {
	ctx, again := req.Context(), idempotent(req)
	budget := rt.budget(s.service)
	budget.Call()
	attempt, last := req, ""
	for i := 0; ; i++ {
		to, err := s.next(ctx)
		if err != nil {
			closeBody(attempt)
			return nil, err
		}
		if to.Node.Address == last { // there is no other
			if err := backOff(ctx, &request{service: s.service, endpoint: req.URL.Path}, i, rt.opts.CallOptions.Backoff); err != nil {
				closeBody(attempt)
				return nil, err
			}
		}
		last = to.Node.Address
		rsp, outcome := rt.try(attempt, to, again)
		s.mark(to.Node, outcome.err)
		if outcome.err == nil {
			rsp.Request = req
			return rsp, nil
		}
		if ctx.Err() != nil {
			return nil, outcome.err
		}
		if i >= rt.opts.CallOptions.Retries || !outcome.unwritten && !(again && budget.Take(now())) {
			return nil, s.outcome(outcome)
		}
		if attempt, err = replay(req); err != nil {
			return nil, outcome.err
		}
	}
}

// idempotent reports whether a request may be made twice, by the rules of net/http.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	_, has := req.Header["Idempotency-Key"]
	_, hasX := req.Header["X-Idempotency-Key"]
	return has || hasX
}

// replay returns the request with its body from the beginning.
func replay(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, fmt.Errorf("make the request again: its body cannot be had twice; give it a GetBody")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("make the request again: %w", err)
	}
	next := *req
	next.Body = body
	return &next, nil
}

// closeBody closes the body of a request that is not made, as a RoundTripper has to.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nobody reads it any more
	}
}

// succession yields the nodes for the attempts of one request.
type succession struct {
	rt        *RoundTripper
	service   string
	selecting selector.SelectOptions

	custom selector.Next // of a selector of the program
	known  pick.Call
}

func (s *succession) begin(ctx context.Context, opts []selector.SelectOption) error {
	if custom := s.rt.chosen.Custom; custom != nil {
		next, err := custom.Select(s.service, opts...)
		s.custom = next
		return err
	}
	for _, opt := range opts {
		opt(&s.selecting)
	}
	var err error
	s.known, err = s.rt.choices(ctx, s.service, s.selecting)
	return err
}

// next yields a node that was not tried yet, as long as there is one.
func (s *succession) next(ctx context.Context) (pick.Target, error) {
	if s.custom != nil {
		n, err := s.custom()
		if err != nil {
			return pick.Target{}, err
		}
		if n == nil {
			return pick.Target{}, selector.ErrNoneAvailable
		}
		return s.rt.target(s.service, n)
	}
	choice, err := s.known.Next()
	if err != nil && calling.Tried(err) { // all of them: begin again, with what is known by now
		if s.known, err = s.rt.choices(ctx, s.service, s.selecting); err != nil {
			return pick.Target{}, err
		}
		choice, err = s.known.Next()
	}
	if err != nil {
		return pick.Target{}, err
	}
	if choice.Warm != nil {
		choice.Warm.Connect()
	}
	return choice.Target, nil
}

// target returns the target of a node that the program named.
func (rt *RoundTripper) target(service string, n *registry.Node) (pick.Target, error) {
	c, err := rt.connect(service, n)
	return pick.Target{Node: n, Conn: c}, err
}

// mark tells a selector of the program how an attempt went.
func (s *succession) mark(n *registry.Node, err error) {
	if s.custom != nil {
		s.rt.chosen.Custom.Mark(s.service, n, err)
	}
}

// outcome returns the error of a request whose attempts ended in o. If nothing was written
// and no node is left that might answer, it says so.
func (s *succession) outcome(o outcome) error {
	if o.unwritten && s.custom == nil {
		if e := s.known.Unhealthy(o.err); e != nil {
			return e
		}
	}
	return o.err
}
