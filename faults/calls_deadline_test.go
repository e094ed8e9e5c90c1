package faults

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

// Row D7: the time of a call is handed on through three layers of services, and the last
// of them stops when the caller does.
func TestD7TheDeadlineIsHandedOn(t *testing.T) {
	t.Parallel()
	const allowed = time.Minute
	r := memory.NewRegistry()
	left, ended := make(chan time.Duration, 1), make(chan struct{}, 1)
	layer := func(name string, do func(ctx context.Context) error) {
		fleet.Service(t, name, r, nil, micro.WrapHandler(func(server.HandlerFunc) server.HandlerFunc {
			return func(ctx context.Context, _ server.Request, _ any) error { return do(ctx) }
		}))
	}
	layer("leaf", func(ctx context.Context) error {
		until, bounded := ctx.Deadline()
		if !bounded {
			until = time.Time{}
		}
		left <- time.Until(until)
		<-ctx.Done()
		ended <- struct{}{}
		return ctx.Err()
	})
	for name, below := range map[string]string{"middle": "leaf", "front": "middle"} {
		c := fleet.Client(t, r)
		layer(name, func(ctx context.Context) error { return fleet.Say(ctx, c, below) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), allowed)
	defer cancel()
	c := fleet.Client(t, r)
	done := make(chan error, 1)
	go func() { done <- fleet.Say(ctx, c, "front", client.WithRetries(0)) }()
	var got time.Duration
	select {
	case got = <-left:
	case err := <-done:
		t.Fatalf("the call has not reached the leaf: %v", err)
	}
	t.Logf("measured: %v left at the leaf, of %v", got, allowed)
	if got <= 0 || got > allowed {
		t.Errorf("the leaf has %v, of %v", got, allowed)
	}
	cancel()
	<-ended
	if err := <-done; err == nil {
		t.Error("a call that was cancelled succeeded")
	}
}
