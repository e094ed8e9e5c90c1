package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestDefaultRegistrySaysWhatToChoose calls every method that could fail.
func TestDefaultRegistrySaysWhatToChoose(t *testing.T) {
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
		for _, want := range []string{"--registry=etcd", "micro server"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not name %s", method, err, want)
			}
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

func TestEventTypes(t *testing.T) {
	for e, want := range map[registry.EventType]string{
		registry.Create: "create", registry.Delete: "delete", registry.Update: "update", 7: "unknown",
	} {
		if e.String() != want {
			t.Errorf("%d is %q, want %q", int(e), e, want)
		}
	}
}
