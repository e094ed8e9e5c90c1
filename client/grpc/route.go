package grpc

import (
	"context"
	stderrors "errors"
	"fmt"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/calling"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/registry"
)

// route yields the nodes for the attempts of one call: addresses that the program
// named, what a selector of the program says, or what the client knows.
type route struct {
	state   *state
	service string

	addresses []string
	turn      uint64
	custom    selector.Next // of a selector of the program
	own       *perService
	known     pick.Call
	selecting selector.SelectOptions
}

// begin finds out where the call may go. It waits only for a service that nobody
// called before and on which the registry has not answered yet.
func (r *route) begin(ctx context.Context, c *grpcClient, co *client.CallOptions) error {
	if len(co.Address) > 0 {
		r.own = c.services.of(r.service)
		r.addresses, r.turn = co.Address, c.turn.Add(1)-1
		return nil
	}
	if custom := r.state.custom; custom != nil {
		next, err := custom.Select(r.service, co.SelectOptions...)
		if err != nil {
			return selectError(r.service, err)
		}
		r.custom, r.own = next, c.services.of(r.service)
		return nil
	}
	if len(co.SelectOptions) > 0 {
		r.selecting = selecting(co.SelectOptions)
	}
	return r.lookup(ctx)
}

func selecting(opts []selector.SelectOption) selector.SelectOptions {
	var so selector.SelectOptions
	for _, opt := range opts {
		opt(&so)
	}
	return so
}

// lookup takes what is known of the service at present.
func (r *route) lookup(ctx context.Context) error {
	if r.service == "" {
		return selectError("", fmt.Errorf("%w: the request names no service", selector.ErrNotFound))
	}
	directory := r.state.backends.directory
	s, err := calling.Known(ctx, directory, r.state.backends.registry, r.service)
	switch {
	case err != nil && ctx.Err() != nil:
		return timeoutErrorFrom(ctx, r.state.picker.Missing(s, s.Err))
	case err != nil && s != nil && !s.Fatal && s.Err != nil: // refused
		return selectError(r.service, r.state.picker.Missing(s, s.Err))
	case err != nil:
		return selectError(r.service, err)
	}
	call, err := r.state.picker.Start(s, r.selecting)
	if err != nil {
		r.hint(ctx, s, err)
		return selectError(r.service, err)
	}
	r.known, r.own = call, r.state.backends.derived(s).own
	return nil
}

// next yields the node for the next attempt: one not yet tried, as long as there
// is one. It has no connection if it was not chosen here.
func (r *route) next(ctx context.Context) (pick.Target, error) {
	switch {
	case r.addresses != nil:
		return r.nextAddress(), nil
	case r.custom != nil:
		node, err := r.custom()
		if err == nil && node == nil {
			err = selector.ErrNoneAvailable
		}
		if err != nil {
			return pick.Target{}, selectError(r.service, err)
		}
		return pick.Target{Node: node}, nil
	}
	choice, err := r.known.Next()
	if err != nil && calling.Tried(err) { // all of them: begin again, with what is known by now
		if err = r.lookup(ctx); err != nil {
			return pick.Target{}, err
		}
		choice, err = r.known.Next()
	}
	if err != nil {
		return pick.Target{}, selectError(r.service, err)
	}
	if choice.Warm != nil {
		choice.Warm.Connect()
	}
	return choice.Target, nil
}

// nextAddress takes the next of the addresses that the program named. One that is
// silent is passed over as long as there is another.
func (r *route) nextAddress() pick.Target {
	for range r.addresses[1:] {
		address := r.addresses[r.turn%uint64(len(r.addresses))]
		c, err := r.state.backends.direct(r.service, &registry.Node{Address: address})
		if err != nil || c.State() != endpoint.Silent {
			break
		}
		r.turn++
	}
	address := r.addresses[r.turn%uint64(len(r.addresses))]
	r.turn++
	return pick.Target{Node: &registry.Node{Address: address}}
}

// hint adds to err what the registry itself has to say on why there is no node.
func (r *route) hint(ctx context.Context, s *discovery.Snapshot, err error) {
	var e *pick.Error
	if stderrors.As(err, &e) && s.Origin == discovery.Live && len(s.Routing) == 0 {
		e.Hint(r.state.backends.diagnosis.about(ctx, r.service))
	}
}

// outcome returns the error of a call whose attempts ended in err. If nothing was
// written in any of them, and no node is left that might answer, it says so.
func (r *route) outcome(err error, unwritten bool, co *client.CallOptions) error {
	if !unwritten || r.addresses != nil || r.custom != nil || callSettingsOf(co.Context).raw {
		return err
	}
	if e := r.known.Unhealthy(err); e != nil {
		return selectError(r.service, e)
	}
	return err
}

// mark tells a selector of the program how the attempt went.
func (r *route) mark(node *registry.Node, err error) {
	if r.custom != nil {
		r.state.custom.Mark(r.service, node, err)
	}
}
