package grpc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// refusing is a registry that refuses the first registration.
type refusing struct {
	registry.Registry
	refused bool
}

var errRefused = errors.New("not yet")

func (r *refusing) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if !r.refused {
		r.refused = true
		return errRefused
	}
	return r.Registry.Register(s, opts...)
}

func TestOnEvent(t *testing.T) {
	events := make(chan sgrpc.Event, 10)
	f := start(t, server.Id("one"), server.Registry(&refusing{Registry: memory.NewRegistry()}), sgrpc.OnEvent(func(e sgrpc.Event) { events <- e }))
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	wantEvent := func(from, phase sgrpc.Phase, err error) {
		t.Helper()
		select {
		case e := <-events:
			if e.From != from || e.Phase != phase || !errors.Is(e.Err, err) || e.Node != "go.micro.test-one" || e.At.IsZero() {
				t.Errorf("told %+v, want %v after %v for %v", e, phase, from, err)
			}
		case <-timeout.C:
			t.Fatalf("nobody was told: %v", phase)
		}
	}
	wantEvent(sgrpc.NotRegistered, sgrpc.NotRegistered, errRefused)
	wantEvent(sgrpc.NotRegistered, sgrpc.Registered, nil)
	if err := f.server.Stop(); err != nil {
		t.Fatal(err)
	}
	wantEvent(sgrpc.Registered, sgrpc.Left, nil)
}
