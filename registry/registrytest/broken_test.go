package registrytest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// broken is a registry in memory whose methods a fault may replace.
type broken struct {
	inner      *memory.Registry
	name       string
	renews     bool
	init       func(...registry.Option) error
	register   func(*registry.Service, ...registry.RegisterOption) error
	deregister func(*registry.Service, ...registry.DeregisterOption) error
	get        func(string, ...registry.GetOption) ([]*registry.Service, error)
	list       func(...registry.ListOption) ([]*registry.Service, error)
	watch      func(...registry.WatchOption) (registry.Watcher, error)
	follow     func(context.Context, string, feed.Sink) error
	close      func() error
}

func (b *broken) Init(opts ...registry.Option) error { return b.init(opts...) }
func (b *broken) Options() registry.Options          { return b.inner.Options() }
func (b *broken) String() string                     { return b.name }
func (b *broken) Renews() bool                       { return b.renews }
func (b *broken) Close() error                       { return b.close() }
func (b *broken) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	return b.register(s, opts...)
}
func (b *broken) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	return b.deregister(s, opts...)
}
func (b *broken) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	return b.get(name, opts...)
}
func (b *broken) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	return b.list(opts...)
}
func (b *broken) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	return b.watch(opts...)
}
func (b *broken) Follow(ctx context.Context, name string, sink feed.Sink) error {
	return b.follow(ctx, name, sink)
}

// whole returns a registry without a fault in the directory of inner.
func whole(inner *memory.Registry) *broken {
	return &broken{
		inner: inner, name: "broken", init: inner.Init, register: inner.Register, deregister: inner.Deregister, get: inner.GetService,
		list: inner.ListServices, watch: inner.Watch, follow: inner.Follow, close: inner.Close,
	}
}

// fault is what a registry does against the contract.
type fault struct {
	name   string
	test   string // of the suite, which finds it
	says   string // the text with which it does
	waits  bool   // it is found by what does not happen
	breaks func(*broken)
	away   func(*broken) // breaks one whose directory does not answer
	other  func(*broken) // breaks the one of another process
}

// timeToLive is the short life of a record, long enough for a machine that is busy.
const timeToLive = 400 * time.Millisecond

// address is what errors of a registry that is away must show.
const address = "10.9.8.7:6"

// unreachable makes every question fail, as they should.
func unreachable(b *broken) {
	err := errors.New("ask the directory at " + address + ": nobody is there")
	b.register = func(*registry.Service, ...registry.RegisterOption) error { return err }
	b.get = func(string, ...registry.GetOption) ([]*registry.Service, error) { return nil, err }
	b.list = func(...registry.ListOption) ([]*registry.Service, error) { return nil, err }
	b.watch = func(...registry.WatchOption) (registry.Watcher, error) { return nil, err }
}

// options are those of a suite that tests registries with the fault.
func (f fault) options(m **memory.Registry) []registrytest.Option {
	return []registrytest.Option{
		registrytest.TTL(timeToLive),
		registrytest.Second(func(t *testing.T) registry.Registry {
			b := whole(*m)
			b.close = func() error { return nil } // the directory stays
			if f.other != nil {
				f.other(b)
			}
			return b
		}),
		registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
			b := whole(memory.NewRegistry().(*memory.Registry))
			unreachable(b)
			if f.away != nil {
				f.away(b)
			}
			return b, address
		}),
	}
}

// open returns the fault's way to open a registry, which keeps the directory in m.
func (f fault) open(m **memory.Registry) func(t *testing.T) registry.Registry {
	return func(t *testing.T) registry.Registry {
		*m = memory.NewRegistry().(*memory.Registry)
		b := whole(*m)
		if f.breaks != nil {
			f.breaks(b)
		}
		t.Cleanup(func() { _ = b.inner.Close() })
		return b
	}
}

// TestWhole shows that what is broken below passes unless it is broken.
func TestWhole(t *testing.T) {
	t.Parallel()
	var m *memory.Registry
	registrytest.Run(t, fault{}.open(&m), fault{}.options(&m)...)
}

const brokenVariable = "ROLLCALL_REGISTRYTEST_BROKEN"

// TestSuiteFindsEachFault runs the suite against registries with one fault each, in a
// process where tests may fail: each fault is found by the test that is about it, and
// each test finds one.
func TestSuiteFindsEachFault(t *testing.T) {
	t.Parallel()
	tested := make(map[string]bool)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$", "-test.parallel=16", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), brokenVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the suite passes with every fault:\n%s", out)
	}
	reports := make(map[string]string)
	for _, report := range strings.Split(string(out), "\n    --- ")[1:] {
		var name string
		if _, err := fmt.Sscanf(report, "FAIL: TestBroken/%s", &name); err == nil {
			reports[name] = report
		}
	}
	for _, f := range faults() {
		tested[f.test] = true
		report, found := reports[f.name]
		switch {
		case !found:
			t.Errorf("test %s passes a registry that has the fault %s", f.test, f.name)
		case !strings.Contains(report, f.says):
			t.Errorf("test %s does not say %q of a registry that has the fault %s:\n%s", f.test, f.says, f.name, report)
		}
	}
	for _, name := range registrytest.Names() {
		if !tested[name] {
			t.Errorf("no fault shows that test %s can fail", name)
		}
	}
	if len(reports) == 0 {
		t.Logf("output:\n%s", out)
	}
}

// TestBroken fails. TestSuiteFindsEachFault runs it.
func TestBroken(t *testing.T) {
	if os.Getenv(brokenVariable) == "" {
		return
	}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			var m *memory.Registry
			opts := f.options(&m)
			if f.waits {
				opts = append(opts, registrytest.Patience(time.Second))
			}
			registrytest.RunOne(t, f.test, f.open(&m), opts...)
		})
	}
}

func faults() []fault {
	return slices.Concat(directoryFaults, contentFaults, watchFaults, lifeFaults, endingFaults)
}
