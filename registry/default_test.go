package registry_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestDefaultRegistrySaysWhatToImport calls every method that could fail.
func TestDefaultRegistrySaysWhatToImport(t *testing.T) {
	service := &registry.Service{Name: "greeter"}
	r := registry.NewRegistry()
	_, get := r.GetService("greeter")
	_, list := r.ListServices()
	_, watch := r.Watch()
	_, packageGet := registry.GetService("greeter")
	_, packageList := registry.ListServices()
	_, packageWatch := registry.Watch()
	for method, err := range map[string]error{
		"Init": r.Init(), "Register": r.Register(service), "Register nil": r.Register(nil),
		"Deregister": r.Deregister(service), "Deregister nil": r.Deregister(nil),
		"GetService": get, "ListServices": list, "Watch": watch,
		"package Register": registry.Register(service), "package Deregister": registry.Deregister(service),
		"package GetService": packageGet, "package ListServices": packageList, "package Watch": packageWatch,
	} {
		if !errors.Is(err, registry.ErrNoRegistry) {
			t.Errorf("%s: got %v", method, err)
			continue
		}
		if !strings.Contains(err.Error(), "github.com/rollcall-go/micro/registry/mdns") {
			t.Errorf("%s: %q does not say what to import", method, err)
		}
	}
	if r.String() != "mdns" || registry.String() != "mdns" {
		t.Errorf("named %q, %q", r.String(), registry.String())
	}
}

func TestDefaultRegistryKeepsItsOptions(t *testing.T) {
	r := registry.NewRegistry(registry.Addrs("a", "b"), registry.Timeout(time.Second))
	if err := r.Init(registry.Secure(true)); err == nil {
		t.Error("Init of a registry that cannot work succeeded")
	}
	o := r.Options()
	if len(o.Addrs) != 2 || o.Timeout != time.Second || !o.Secure {
		t.Errorf("got %+v", o)
	}
}

// standIn is what stands where a program has mDNS.
type standIn struct {
	registry.Registry // for the methods that are not called
	opts              registry.Options
	closed            bool
}

func (s *standIn) Init(opts ...registry.Option) error {
	for _, o := range opts {
		o(&s.opts)
	}
	return nil
}

func (s *standIn) Options() registry.Options { return s.opts }
func (s *standIn) String() string            { return "stand-in" }
func (s *standIn) Close() error              { s.closed = true; return nil }

// TestTheDefaultIsMadeAtTheFirstUse links a registry in the place of mDNS.
func TestTheDefaultIsMadeAtTheFirstUse(t *testing.T) {
	var made []*standIn
	defaults.Registry.Set(func(opts ...registry.Option) registry.Registry {
		s := &standIn{}
		_ = s.Init(opts...)
		made = append(made, s)
		return s
	})
	defer defaults.Registry.Set(nil)
	r := registry.NewRegistry(registry.Timeout(time.Second))
	if r.String() != "mdns" || r.Options().Timeout != time.Second || len(made) > 0 {
		t.Errorf("named %q with %+v, made %d times", r, r.Options(), len(made))
	}
	if err := r.Init(registry.Secure(true)); err != nil {
		t.Error(err)
	}
	p := r.(ability.Placeholder)
	if len(made) != 1 || p.Unwrap() != registry.Registry(made[0]) || !r.Options().Secure || r.Options().Timeout != time.Second || r.String() != "stand-in" || p.Chosen() {
		t.Errorf("made %d times, with %+v", len(made), r.Options())
	}
	chosen, changed := &standIn{}, p.Changed()
	p.Choose(chosen)
	<-changed
	if p.Unwrap() != registry.Registry(chosen) || !p.Chosen() {
		t.Error("what was chosen is not behind it")
	}
	p.Forget(chosen)
	if p.Unwrap() != registry.Registry(made[0]) || p.Chosen() {
		t.Error("the default is not behind it again")
	}
	if err := r.(io.Closer).Close(); err != nil || !made[0].closed || chosen.closed {
		t.Errorf("Close: %v, closed %v and %v", err, made[0].closed, chosen.closed)
	}
}

// TestTheDefaultThatWasClosedSaysSo closes it before its first use.
func TestTheDefaultThatWasClosedSaysSo(t *testing.T) {
	r := registry.NewRegistry()
	if err := r.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if err := r.Register(&registry.Service{Name: "greeter"}); !errors.Is(err, registry.ErrClosed) || errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("got %v", err)
	}
}

func TestEventTypes(t *testing.T) {
	for e, want := range map[registry.EventType]string{
		registry.Create: "create", registry.Delete: "delete", registry.Update: "update", 7: "unknown",
	} {
		if e.String() != want {
			t.Errorf("%d is %q, want %q", int(e), e, want)
		}
	}
}
