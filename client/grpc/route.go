package grpc

import (
	"context"
	stderrors "errors"
	"fmt"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/registry"
)

// route yields the nodes for the attempts of one call: addresses that the program
// named, what a selector of the program says, or what the client knows.
type route struct {
	setup   *setup
	service string

	addresses []string
	turn      uint64
	own       selector.Next
	known     pick.Call
	selecting selector.SelectOptions
}

// begin finds out where the call may go. It waits only for a service that nobody
// called before and on which the registry has not answered yet.
func (r *route) begin(ctx context.Context, c *grpcClient, co *client.CallOptions) error {
	if len(co.Address) > 0 {
		r.addresses, r.turn = co.Address, c.turn.Add(1)-1
		return nil
	}
	if own := r.setup.own; own != nil {
		next, err := own.Select(r.service, co.SelectOptions...)
		if err != nil {
			return selectError(r.service, err)
		}
		r.own = next
		return nil
	}
	if len(co.SelectOptions) > 0 {
		r.selecting = selecting(co.SelectOptions)
	}
	return r.look(ctx)
}

func selecting(opts []selector.SelectOption) selector.SelectOptions {
	var so selector.SelectOptions
	for _, opt := range opts {
		opt(&so)
	}
	return so
}

// look takes what is known of the service at present.
func (r *route) look(ctx context.Context) error {
	if r.service == "" {
		return selectError("", fmt.Errorf("%w: the request names no service", selector.ErrNotFound))
	}
	directory := r.setup.network.directory
	s := directory.Lookup(r.service)
	if !s.Known {
		err := ability.Check(r.setup.network.registry)
		if err == nil {
			s, err = directory.Wait(ctx, r.service)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return endedBy(ctx, r.setup.picker.Missing(s, s.Err))
		case err != nil && s != nil && !s.Fatal && s.Err != nil: // refused
			return selectError(r.service, r.setup.picker.Missing(s, s.Err))
		case err != nil:
			return selectError(r.service, err)
		}
	}
	call, err := r.setup.picker.Start(s, r.selecting)
	if err != nil {
		r.hint(ctx, s, err)
		return selectError(r.service, err)
	}
	r.known = call
	return nil
}

// next yields the node for the next attempt: one not yet tried, as long as there
// is one.
func (r *route) next(ctx context.Context) (*registry.Node, error) {
	switch {
	case r.addresses != nil:
		address := r.addresses[r.turn%uint64(len(r.addresses))]
		r.turn++
		return &registry.Node{Address: address}, nil
	case r.own != nil:
		node, err := r.own()
		if err == nil && node == nil {
			err = selector.ErrNoneAvailable
		}
		if err != nil {
			return nil, selectError(r.service, err)
		}
		return node, nil
	}
	choice, err := r.known.Next()
	if err != nil && tried(err) { // all of them: begin again, with what is known by now
		if err = r.look(ctx); err != nil {
			return nil, err
		}
		choice, err = r.known.Next()
	}
	if err != nil {
		return nil, selectError(r.service, err)
	}
	if choice.Warm != nil {
		r.setup.network.warm(choice.Warm)
	}
	return choice.Node, nil
}

// hint adds to err what the registry itself has to say on why there is no node.
func (r *route) hint(ctx context.Context, s *discovery.Snapshot, err error) {
	var e *pick.Error
	if stderrors.As(err, &e) && s.Origin == discovery.Live && len(s.Routing) == 0 {
		e.Hint(r.setup.network.hints.about(ctx, r.service))
	}
}

// outcome returns the error of a call whose attempts ended in err. If nothing was
// written in any of them, and no node is left that might answer, it says so.
func (r *route) outcome(err error, unwritten bool, co *client.CallOptions) error {
	if !unwritten || r.addresses != nil || r.own != nil || callSettingsOf(co.Context).raw {
		return err
	}
	if e := r.known.Unhealthy(err); e != nil {
		return selectError(r.service, e)
	}
	return err
}

func tried(err error) bool {
	var e *pick.Error
	return stderrors.As(err, &e) && e.Reason == pick.Tried
}

// mark tells a selector of the program how the attempt went.
func (r *route) mark(node *registry.Node, err error) {
	if r.own != nil {
		r.setup.own.Mark(r.service, node, err)
	}
}
