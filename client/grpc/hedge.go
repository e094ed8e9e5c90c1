package grpc

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/logger"
)

// hedge makes one attempt of a call and, if it is not answered in time, another one on a
// second node beside it. It is for one call.
type hedge struct {
	client *grpcClient
	route  *route
	plan   *plan
	wait   time.Duration // as client.CallOptions has it
	rsp    any
	// attempt makes one attempt with a response of its own.
	attempt func(ctx context.Context, to pick.Target, rsp any, trailer *grpcmd.MD) error

	ended   chan trial
	running int
}

// trial is an attempt that has ended.
type trial struct {
	to  pick.Target
	rsp any
	err error

	trailer *grpcmd.MD
	took    time.Duration
}

// hedgeable reports whether a call may be under way twice at a time: it is idempotent, its
// response can be made anew, and grpc was given no place of the program's to write to.
func hedgeable(rsp any, idempotent bool, co *client.CallOptions) bool {
	if !idempotent || co.Hedge == 0 || reflect.TypeOf(rsp).Kind() != reflect.Pointer {
		return false
	}
	if _, opening := rsp.(*stream); opening {
		return false
	}
	for _, o := range callSettingsOf(co.Context).call {
		switch o.(type) {
		case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption, grpc.OnFinishCallOption:
			return false
		}
	}
	return true
}

// hedged is an attempt that may be made on two nodes. It returns the node of the one that
// counts.
func (c *grpcClient) hedged(ctx context.Context, s *state, r *route, p *plan, invoke client.CallFunc, wrapped bool, to pick.Target, req client.Request, rsp any, co client.CallOptions) (pick.Target, error) {
	h := &hedge{client: c, route: r, plan: p, wait: co.Hedge, rsp: rsp}
	h.attempt = func(ctx context.Context, to pick.Target, rsp any, trailer *grpcmd.MD) error {
		co := co
		keepTrailer(&co, trailer)
		if wrapped {
			return invoke(ctx, to.Node, req, rsp, co)
		}
		return c.try(ctx, s, to, req, rsp, &co)
	}
	return h.run(ctx, to)
}

// run makes the attempts, the first of them on the given node, and waits until both have
// ended: the one that was not needed is cancelled. It returns the node of the attempt that
// counts: the first that was answered or, if both failed, one of which something was
// written.
func (h *hedge) run(ctx context.Context, first pick.Target) (pick.Target, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for ; h.running > 0; h.running-- {
			t := <-h.ended
			h.measure(t.took) // it would have taken longer still
		}
	}()
	h.ended = make(chan trial, 2)
	h.begin(ctx, first)
	timer, stop := h.timer()
	defer stop()
	var failed *trial
	for {
		select {
		case t := <-h.ended:
			h.running--
			switch {
			case t.err == nil:
				h.measure(t.took)
				deliver(h.rsp, t.rsp)
				return t.to, nil
			case failed != nil && endpoint.Unwritten(t.err):
				h.plan.trailer = failed.trailer
				return failed.to, failed.err
			case h.running == 0:
				h.plan.trailer = t.trailer
				return t.to, t.err
			}
			failed = &t
		case <-timer:
			timer = nil
			to, err := h.route.next(ctx)
			if err != nil || to.Node.Address == first.Node.Address || !h.plan.own.budget.Take(time.Now()) {
				continue // nobody else is there, or may be asked: the first may answer yet
			}
			h.client.retries.hedged.Add(1)
			h.begin(ctx, to)
		}
	}
}

// timer returns what says that it is time for a second attempt, nil if there is to be
// none.
func (h *hedge) timer() (<-chan time.Time, func()) {
	wait := h.wait
	if wait < 0 {
		var known bool
		if wait, known = h.plan.own.answered.Of(95); !known {
			return nil, func() {}
		}
	}
	t := time.NewTimer(wait)
	return t.C, func() { t.Stop() }
}

// begin makes an attempt in a goroutine, which run waits for.
func (h *hedge) begin(ctx context.Context, to pick.Target) {
	h.running++
	t := trial{to: to, rsp: another(h.rsp), trailer: new(grpcmd.MD), err: failure("the attempt ended its goroutine", nil)}
	began := time.Now()
	go func() {
		defer func() {
			if v := recover(); v != nil { // it cannot reach the caller, whose goroutine is another one
				logger.Errorf("Client [grpc] Recovered a panic of a hedged call: %v: %s", v, debug.Stack())
				t.err = failure(fmt.Sprintf("make a hedged call: panic: %v", v), nil)
			}
			t.took = time.Since(began)
			h.ended <- t
		}()
		t.err = h.attempt(ctx, to, t.rsp, t.trailer)
	}()
}

// measure takes note of how long an attempt took.
func (h *hedge) measure(took time.Duration) {
	if h.wait < 0 {
		h.plan.own.answered.Note(took)
	}
}

// another returns an empty response of the type of rsp.
func another(rsp any) any {
	if m, ok := rsp.(proto.Message); ok {
		return m.ProtoReflect().New().Interface()
	}
	return reflect.New(reflect.TypeOf(rsp).Elem()).Interface()
}

// deliver puts into rsp what an attempt was answered.
func deliver(rsp, answer any) {
	if m, ok := rsp.(proto.Message); ok {
		proto.Reset(m)
		proto.Merge(m, answer.(proto.Message))
		return
	}
	reflect.ValueOf(rsp).Elem().Set(reflect.ValueOf(answer).Elem())
}
