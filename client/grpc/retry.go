package grpc

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	grpcmd "google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/attempt"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// retry asks whether the call is to be tried again.
func retry(ctx context.Context, req client.Request, i int, err error, facts attempt.Facts, f client.RetryFunc) (bool, error) {
	if f == nil {
		f = client.DefaultRetry
	}
	return f(attempt.Mark(ctx, facts), req, i, err)
}

// backOff waits before the attempt of number i for as long as f says.
func backOff(ctx context.Context, req client.Request, i int, f client.BackoffFunc) error {
	if f == nil {
		f = client.DefaultBackoff
	}
	d, err := f(ctx, req, i)
	if err != nil {
		return failure(textOf(err), err)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return timeoutError(ctx, "")
	}
}

// turnedAway reports whether the node itself says that it was at its limit and began
// nothing. Such an error has the node's id: an error of a node further on, which a
// handler passed on, has that of another.
func turnedAway(node *registry.Node, err error) bool {
	if node == nil || node.Id == "" {
		return false
	}
	e, ok := rpc.FromStatus(err).(*errors.Error)
	return ok && e.GetCode() == http.StatusTooManyRequests && e.GetId() == node.Id
}

// plan decides, for one call, which of the retries that its options permit are made.
type plan struct {
	client *grpcClient
	own    *perService
	// trailer is what ended the last attempt, of a call that may be tried again after
	// it was written; nil for others, and before the first attempt of a hedged one.
	trailer *grpcmd.MD
	refused bool // a retry was permitted and not made
	hedged  bool // an attempt may be made on two nodes at a time
}

// plan counts the call in.
func (c *grpcClient) plan(r *route, rsp any, idempotent bool, co *client.CallOptions) plan {
	p := plan{client: c, own: r.own, hedged: hedgeable(rsp, idempotent, co)}
	if co.Retries <= 0 && !p.hedged {
		return p
	}
	p.own.budget.Call()
	_, opening := rsp.(*stream)
	if (idempotent || !whenSafe(co.Retry)) && !p.hedged && !opening {
		p.trailer = new(grpcmd.MD)
		keepTrailer(co, p.trailer)
	}
	return p
}

// keepTrailer has grpc write to where what ends an attempt under co.
func keepTrailer(co *client.CallOptions, where *grpcmd.MD) {
	own := *callSettingsOf(co.Context)
	own.call = append(slices.Clip(own.call), grpc.Trailer(where))
	co.Context = settings.With(co.Context, &own)
}

// whenSafe reports whether f is client.RetryWhenSafe, which permits no retry of a call
// that may have run and is not idempotent.
func whenSafe(f client.RetryFunc) bool {
	if f == nil {
		f = client.DefaultRetry
	}
	return reflect.ValueOf(f).Pointer() == reflect.ValueOf(client.RetryWhenSafe).Pointer()
}

// pushback is the trailer by which gRPC's servers ask for no retry, with a number below
// zero, or for a later one.
const pushback = "grpc-retry-pushback-ms"

// again reports whether the call may reach a server once more, and counts it if so. A
// server that has tried its own calls again asks for no retry; one that turned the call
// away has made none.
func (p *plan) again(unrun bool) bool {
	asked := p.trailer != nil && len(p.trailer.Get(pushback)) > 0
	if asked && !unrun || !p.own.budget.Take(time.Now()) {
		p.client.retries.refused.Add(1)
		p.refused = true
		return false
	}
	p.client.retries.made.Add(1)
	return true
}

// failed takes note that the call failed for good after so many retries. If they were of
// no use, or too many, whoever called the handler that made the call under ctx shall not
// try its own call again: with each layer that did, the calls would multiply.
func (p *plan) failed(ctx context.Context, retries int) {
	if retries == 0 && !p.refused {
		return
	}
	// Not in a handler there is nobody to be told.
	serving, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ Context() context.Context })
	if !ok || serving.Context().Err() != nil {
		return
	}
	// Once is enough: trailers add up, and a handler may make calls for hours.
	if _, told := p.client.told.LoadOrStore(serving, struct{}{}); told {
		return
	}
	_ = grpc.SetTrailer(ctx, grpcmd.Pairs(pushback, "-1")) // fails once the answer is written
	context.AfterFunc(serving.Context(), func() { p.client.told.Delete(serving) })
}

// retryCounts are of all calls of a client that were written and failed.
type retryCounts struct {
	made, refused, hedged atomic.Uint64
}
