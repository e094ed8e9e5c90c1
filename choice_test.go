package micro

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// undecided gives the process the DefaultRegistry and the command line of one that
// has just begun.
func undecided(t *testing.T, args ...string) {
	t.Helper()
	fresh(t)
	before := registry.DefaultRegistry
	registry.DefaultRegistry = registry.NewRegistry()
	t.Cleanup(func() { registry.DefaultRegistry = before })
	os.Args = append([]string{"svc"}, args...)
}

// TestDefaultsFollowTheChoiceOfTheCommandLine uses everything that is given no
// registry, made before the first service chooses one and after it.
func TestDefaultsFollowTheChoiceOfTheCommandLine(t *testing.T) {
	undecided(t, "--registry=memory")
	early := client.NewClient()
	cached := cache.New(registry.DefaultRegistry)
	defer closeAll(t, early)
	defer cached.Stop()
	if _, err := say(t.Context(), early, "svc", "x"); !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("before the choice: %v", err)
	}
	if _, err := registry.GetService("svc"); !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("before the choice: %v", err)
	}

	var racing sync.WaitGroup // finds races only
	for range 4 {
		racing.Go(func() {
			_, _ = say(t.Context(), early, "svc", "x")
			_, _ = registry.ListServices()
		})
	}
	s := newService(Name("svc"), Address("127.0.0.1:0"), HandleSignal(false), Server(sgrpc.NewServer(sgrpc.DeregisterDelay(0), server.Id("1"))))
	if err := RegisterHandler(s.Server(), &Echo{}); err != nil {
		t.Fatal(err)
	}
	s.Init()
	chosen := s.Options().Registry
	if chosen.String() != "memory" || registry.String() != "memory" {
		t.Errorf("the service has %s, the process %s", chosen, registry.String())
	}
	stop := run(t, s)
	racing.Wait()

	late, named := client.NewClient(), selector.NewSelector()
	defer closeAll(t, late, named)
	for name, c := range map[string]client.Client{"early": early, "late": late, "DefaultClient": client.DefaultClient} {
		// One that asked before the service was registered is told of it a moment later.
		testkit.Eventually(t, 5*time.Second, name+" is answered", func() bool {
			got, err := say(t.Context(), c, "svc", "x")
			return err == nil && got == "x"
		})
	}
	if _, err := say(t.Context(), early, "nobody", "x"); err == nil || !strings.Contains(err.Error(), "memory") || strings.Contains(err.Error(), "mdns") {
		t.Errorf("the error of an early client names another registry: %v", err)
	}
	if got, err := registry.GetService("svc"); err != nil || len(got) != 1 {
		t.Errorf("DefaultRegistry: %v, %v", got, err)
	}
	testkit.Eventually(t, 5*time.Second, "a cache and a selector know the service", func() bool {
		_, fromCache := cached.GetService("svc")
		_, fromSelector := named.Select("svc")
		return fromCache == nil && fromSelector == nil
	})

	// Another service reads the same command line, and has a registry of its own.
	other := newService(Name("other"))
	other.Init()
	if got := other.Options().Registry; got == chosen || got.String() != "memory" {
		t.Errorf("the second service has %s, and it is the first one's: %v", got, got == chosen)
	}
	if err := errors.Join(stop(), other.Close()); err != nil {
		t.Error(err)
	}
	if _, err := registry.GetService("svc"); !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("after the end of the service: %v", err)
	}
}

// TestTheDefaultIsUsedByWhoeverIsGivenNothing has a memory where a program has mDNS,
// and a service without options and flags.
func TestTheDefaultIsUsedByWhoeverIsGivenNothing(t *testing.T) {
	r := newMemory(t)
	defaults.Registry.Set(func(...registry.Option) registry.Registry { return r })
	defer defaults.Registry.Set(nil)
	undecided(t)
	early, cached, chooses := client.NewClient(), cache.New(registry.DefaultRegistry), selector.NewSelector()
	defer closeAll(t, early, chooses)
	defer cached.Stop()
	s := newService(Name("svc"), Address("127.0.0.1:0"), HandleSignal(false), Server(sgrpc.NewServer(sgrpc.DeregisterDelay(0))))
	if err := RegisterHandler(s.Server(), &Echo{}); err != nil {
		t.Fatal(err)
	}
	s.Init()
	stop := run(t, s)
	for name, c := range map[string]client.Client{"early": early, "the service's": s.Client(), "DefaultClient": client.DefaultClient} {
		if got, err := say(t.Context(), c, "svc", "x"); err != nil || got != "x" {
			t.Errorf("%s client: %q, %v", name, got, err)
		}
	}
	if _, err := cached.GetService("svc"); err != nil {
		t.Errorf("a cache: %v", err)
	}
	if _, err := chooses.Select("svc"); err != nil {
		t.Errorf("a selector: %v", err)
	}
	if found, err := r.GetService("svc"); err != nil || len(found) != 1 {
		t.Errorf("the default has %v, %v", found, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := registry.GetService("svc"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("after the end of the service: %v", err)
	}
}

func TestDefaultsDoNotFollowTheCode(t *testing.T) {
	undecided(t)
	s := newService(Name("svc"), Registry(newMemory(t)), Client(client.NewClient()))
	defer closeAll(t, s.Client())
	s.Init()
	bare := client.NewClient()
	defer closeAll(t, bare)
	_, err := say(context.Background(), bare, "svc", "x")
	if !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("got %v, want that the choice is the service's alone", err)
	}
}

// labelled is a registry of the program's own, whose values cannot be compared.
type labelled struct {
	registry.Registry
	labels []string
}

func TestARegistryThatCannotBeCompared(t *testing.T) {
	undecided(t)
	s := newService(Name("svc"), Address("127.0.0.1:0"), HandleSignal(false), Registry(labelled{memory.NewRegistry(), []string{"a"}}),
		Server(sgrpc.NewServer(sgrpc.DeregisterDelay(0))))
	if err := RegisterHandler(s.Server(), &Echo{}); err != nil {
		t.Fatal(err)
	}
	s.Init()
	stop := run(t, s)
	defer stop()
	if got, err := say(t.Context(), s.Client(), "svc", "x"); err != nil || got != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTheDefaultRegistryIsNotPutBehindItself names what a program wrapped, the default
// registry: asking it must come to an end.
func TestTheDefaultRegistryIsNotPutBehindItself(t *testing.T) {
	undecided(t, "--registry=mdns")
	s := newService(Name("svc"), HandleSignal(false), Registry(labelled{Registry: registry.DefaultRegistry}))
	s.Init()
	if _, err := registry.GetService("svc"); !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("GetService: %v", err)
	}
}
