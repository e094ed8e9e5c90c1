package micro

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// What waits for the start of a service, as AfterStart does, may call it at once.
func TestStartedMeansRegistered(t *testing.T) {
	for i := range 50 {
		r := newMemory(t)
		caller := newNode(t, "caller", r, nil)
		s := newNode(t, "started", r, &Echo{})
		ctx, cancel := context.WithCancel(t.Context())
		s.Init(Context(ctx), AfterStart(func() error {
			defer cancel()
			if _, err := r.GetService("started"); err != nil {
				return fmt.Errorf("run %d: after the start: %w", i, err)
			}
			got, err := say(t.Context(), caller.Client(), "started", "x")
			if err == nil && got != "x" {
				err = fmt.Errorf("got %q", got)
			}
			return err
		}))
		if err := s.Run(); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
	}
}

// Several callers at once, each as soon as it hears of the start.
func TestManyCallAServiceThatStarted(t *testing.T) {
	r := newMemory(t)
	var callers []*service
	for range 8 {
		callers = append(callers, newNode(t, "caller", r, nil))
	}
	for i := range 10 {
		name := fmt.Sprintf("many.%d", i)
		s := newNode(t, name, r, &Echo{})
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan struct{})
		s.Init(Context(ctx), AfterStart(func() error { close(started); return nil }))
		done := make(chan error, 1)
		go func() { done <- s.Run() }()
		<-started
		var wg sync.WaitGroup
		for _, c := range callers {
			wg.Go(func() {
				if _, err := say(t.Context(), c.Client(), name, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A function serves whoever calls it after its start, and ends.
func TestFunctionIsCalledAfterItsStart(t *testing.T) {
	for i := range 20 {
		r := newMemory(t)
		caller := newNode(t, "caller", r, nil)
		f := newFunction(Name("once"), Registry(r), Address("127.0.0.1:0"), HandleSignal(false), Client(caller.Client()),
			Server(sgrpc.NewServer(server.Id("1"), sgrpc.DeregisterDelay(0))))
		if err := f.Handle(&Echo{}); err != nil {
			t.Fatal(err)
		}
		called := make(chan error, 1)
		f.Init(AfterStart(func() error {
			go func() {
				_, err := say(t.Context(), caller.Client(), "once", "x")
				called <- err
			}()
			return nil
		}))
		if err := f.Run(); err != nil {
			t.Errorf("run %d: %v", i, err)
		}
		if err := <-called; err != nil {
			t.Errorf("run %d: %v", i, err)
		}
	}
}

// unanswering is a registry that never answers to Register.
type unanswering struct {
	registry.Registry
	until chan struct{}
}

func (s unanswering) Register(svc *registry.Service, opts ...registry.RegisterOption) error {
	<-s.until
	return s.Registry.Register(svc, opts...)
}

// A registry that is away holds up neither the service nor those who know where it is.
func TestStartWithARegistryThatIsAway(t *testing.T) {
	r := unanswering{memory.NewRegistry(), make(chan struct{})}
	t.Cleanup(func() { closeAll(t, r.Registry) })
	caller := newNode(t, "caller", newMemory(t), nil)
	s := newNode(t, "away", r, &Echo{}, Server(sgrpc.NewServer(server.Id("1"), sgrpc.DeregisterDelay(0), sgrpc.RegistrationWait(50*time.Millisecond))))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Init(Context(ctx), AfterStart(func() error {
		_, err := say(t.Context(), caller.Client(), "away", "x", client.WithAddress(s.Server().Options().Address))
		if err != nil {
			return fmt.Errorf("a direct call: %w", err)
		}
		close(r.until)
		return nil
	}))
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	testkit.Eventually(t, 10*time.Second, "registered beside", func() bool { _, err := r.GetService("away"); return err == nil })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A service whose name holds a slash is called like others.
func TestNamesWithASlash(t *testing.T) {
	r := newMemory(t)
	caller := newNode(t, "caller", r, nil)
	for _, name := range []string{"a/b", "team/a.b/c", "x.y/z", "/a", "a/"} {
		run(t, newNode(t, name, r, &Echo{}))
		if got, err := say(t.Context(), caller.Client(), name, "x"); err != nil || got != "x" {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// A name that nobody could call is refused at the start, with the name in the error.
func TestNamesThatCannotBeCalled(t *testing.T) {
	for _, name := range []string{"x\r", "a\nb", "\x00", "a\x1b[2J", "a\x7f", "a\u0085b", "\xff"} {
		s := newNode(t, "fine", newMemory(t), &Echo{}, Name(name))
		if err := s.Run(); err == nil || !strings.Contains(err.Error(), strconv.Quote(name)) {
			t.Errorf("%q: Run: %v, want an error that quotes it", name, err)
		}
	}
}
