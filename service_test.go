package micro

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func note(r *recorder, line string, err error) func() error {
	return func() error { r.add(line); return err }
}

func TestHooksRunInOrder(t *testing.T) {
	var seen recorder
	r := newMemory(t)
	s := newNode(t, "a", r, nil,
		AfterDrain(note(&seen, "drained", nil)), AfterDeregister(note(&seen, "deregistered", nil)), BeforeDeregister(note(&seen, "before deregister", nil)),
		AfterStop(note(&seen, "after stop 1", nil)), AfterStop(note(&seen, "after stop 2", nil)),
		BeforeStart(note(&seen, "before start 1", nil)), BeforeStart(note(&seen, "before start 2", nil)),
		BeforeStop(note(&seen, "before stop 1", nil)), BeforeStop(note(&seen, "before stop 2", nil)),
		AfterStart(note(&seen, "after start 1", nil)), AfterStart(note(&seen, "after start 2", nil)))
	if err := run(t, s)(); err != nil {
		t.Fatal(err)
	}
	want := []string{"before start 1", "before start 2", "after start 1", "after start 2", "before stop 1", "before stop 2", "before deregister", "deregistered", "drained", "after stop 1", "after stop 2"}
	if got := seen.take(); !slices.Equal(got, want) {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, err := r.GetService("a"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("still registered after the stop: %v, %v", got, err)
	}
}

func TestErrorOfBeforeStart(t *testing.T) {
	failed := errors.New("no disk")
	var seen recorder
	s := newNode(t, "a", newMemory(t), nil, BeforeStart(func() error { return failed }), BeforeStart(note(&seen, "second", nil)),
		AfterStart(note(&seen, "started", nil)), AfterStop(note(&seen, "stopped", nil)))
	if err := s.Run(); !errors.Is(err, failed) {
		t.Errorf("Run: %v", err)
	}
	if got := seen.take(); len(got) > 0 {
		t.Errorf("ran %q", got)
	}
}

func TestErrorOfAfterStartStopsTheServer(t *testing.T) {
	failed := errors.New("no cache")
	r := newMemory(t)
	s := newNode(t, "a", r, nil)
	s.Init(AfterStart(func() error {
		testkit.Eventually(t, 5*time.Second, "registered", func() bool { _, err := r.GetService("a"); return err == nil })
		return failed
	}))
	if err := s.Run(); !errors.Is(err, failed) {
		t.Errorf("Run: %v", err)
	}
	if _, err := r.GetService("a"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("still registered: %v", err)
	}
	if err := s.Server().Start(); err == nil {
		t.Error("the server was not stopped")
	}
}

func TestErrorsOfStopAreJoined(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	var seen recorder
	s := newNode(t, "a", newMemory(t), nil, BeforeStop(note(&seen, "before", one)), BeforeStop(note(&seen, "before", nil)), AfterStop(note(&seen, "after", two)))
	ctx, cancel := context.WithCancel(t.Context())
	s.Init(Context(ctx), AfterStart(func() error { cancel(); return nil }))
	if err := s.Run(); !errors.Is(err, one) || !errors.Is(err, two) {
		t.Errorf("Run: %v, want both errors", err)
	}
	if got := seen.take(); !slices.Equal(got, []string{"before", "before", "after"}) {
		t.Errorf("ran %q: an error kept others from running", got)
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT} {
		s := newNode(t, "a", newMemory(t), nil, HandleSignal(true))
		s.Init(AfterStart(func() error {
			p, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return p.Signal(sig)
		}))
		if err := s.Run(); err != nil {
			t.Errorf("%v: Run: %v", sig, err)
		}
	}
}

func TestRunWithoutARegistry(t *testing.T) {
	s := newNode(t, "a", registry.NewRegistry(), nil)
	for _, err := range []error{s.Run(), func() error { _, err := say(t.Context(), s.Client(), "b", "x"); return err }()} {
		if err == nil || !strings.Contains(err.Error(), "micro/registry/mdns") {
			t.Errorf("got %v, want an error that names the way out", err)
		}
	}
}

func TestRunReturnsWhatTheSetUpSaid(t *testing.T) {
	r := newMemory(t)
	s := newNode(t, "a", r, nil)
	run(t, s)
	s.Init(Address("127.0.0.1:1")) // too late
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err == nil || !strings.Contains(err.Error(), "Address") {
		t.Errorf("got %v, want an error about the address", err)
	}
	for _, address := range []string{"nonsense", "http://127.0.0.1:0", "127.0.0.1:0:0", "127.0.0.1:99999"} {
		if err := newNode(t, "b", r, nil, Address(address)).Run(); err == nil || !strings.Contains(err.Error(), `"`+address+`"`) {
			t.Errorf("%q: Run: %v, want an error that quotes it", address, err)
		}
	}
	for _, address := range []string{"http://a", "a:b:c", "a b:80"} {
		srv := sgrpc.NewServer(server.Advertise(address))
		if err := newNode(t, "b", r, nil, Server(srv)).Run(); err == nil || !strings.Contains(err.Error(), `"`+address+`"`) {
			t.Errorf("advertise %q: Run: %v, want an error that quotes it", address, err)
		}
	}
}

func TestContext(t *testing.T) {
	s := newNode(t, "a", newMemory(t), nil)
	if got, ok := FromContext(NewContext(t.Context(), s)); !ok || got != Service(s) {
		t.Error("the service is not in its context")
	}
	if _, ok := FromContext(t.Context()); ok {
		t.Error("a service came out of an empty context")
	}
	if s.String() != "micro" {
		t.Errorf("the service is called %q", s)
	}
}

func TestFunctionEndsAfterOneRequest(t *testing.T) {
	r := newMemory(t)
	caller := newNode(t, "caller", r, nil)
	f := newFunction(Name("once"), Registry(r), Address("127.0.0.1:0"), HandleSignal(false), Client(caller.Client()),
		Server(sgrpc.NewServer(server.Id("1"), sgrpc.DeregisterDelay(0))))
	if err := f.Handle(&Echo{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run() }()
	testkit.Eventually(t, 5*time.Second, "registered", func() bool { _, err := r.GetService("once"); return err == nil })
	if got, err := say(t.Context(), caller.Client(), "once", "x"); err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := f.Done(); err != nil {
		t.Error(err)
	}
}
