package grpc

import (
	"context"
	stderrors "errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// away is a registry that does not answer any more once it is cut.
type away struct {
	registry.Registry
	cut   atomic.Bool
	asked atomic.Int64
}

func (r *away) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	r.asked.Add(1)
	if r.cut.Load() {
		return nil, stderrors.New("connection to the registry refused")
	}
	return r.Registry.GetService(name, opts...)
}

func (r *away) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	r.asked.Add(1)
	if r.cut.Load() {
		return nil, stderrors.New("connection to the registry refused")
	}
	return r.Registry.Watch(opts...)
}

func TestRegistryAway(t *testing.T) {
	n := serve(t, echo)
	r := &away{Registry: struct{ registry.Registry }{register(t, service("echo", n))}}
	c := newClient(t, client.Registry(r))
	mustSay(t, c, "x")
	r.cut.Store(true)
	for range 10 {
		begun := time.Now()
		mustSay(t, c, "x")
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("a call waited %v for the registry", took)
		}
	}
	err := c.Call(t.Context(), c.NewRequest("other", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{},
		client.WithRequestTimeout(300*time.Millisecond))
	if e := fault(t, err); e.Code != 408 || !strings.Contains(e.Detail, "connection to the registry refused") {
		t.Errorf("got %v", e)
	}
	if !stderrors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v does not say that the deadline passed", err)
	}
	r.cut.Store(false)
	testkit.Eventually(t, 10*time.Second, "the registry answers again", func() bool {
		err := c.Call(t.Context(), c.NewRequest("other", "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{},
			client.WithRequestTimeout(300*time.Millisecond))
		return stderrors.Is(err, registry.ErrNotFound)
	})
}

func TestFirstCallWaitsForTheRegistry(t *testing.T) {
	n := serve(t, echo)
	r := &away{Registry: struct{ registry.Registry }{register(t, service("echo", n))}}
	r.cut.Store(true)
	c := newClient(t, client.Registry(r))
	heard := make(chan error, 1)
	go func() {
		_, err := say(context.Background(), c, "x", client.WithRequestTimeout(20*time.Second))
		heard <- err
	}()
	testkit.Eventually(t, 5*time.Second, "the registry is asked", func() bool { return r.asked.Load() > 0 })
	r.cut.Store(false)
	if err := <-heard; err != nil {
		t.Error(err)
	}
}

func TestANodeRegistersLater(t *testing.T) {
	r := register(t)
	c := newClient(t, client.Registry(r))
	if _, err := say(t.Context(), c, "x"); !stderrors.Is(err, registry.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if err := r.Register(service("echo", serve(t, echo))); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the node is called", func() bool {
		_, err := say(t.Context(), c, "x")
		return err == nil
	})
}
