package builtin

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestNames holds each name on a command line to the name that the
// implementation gives itself: the two are compared to tell whether it is in
// place already.
func TestNames(t *testing.T) {
	for name, construct := range Registries() {
		if got := construct().String(); got != name {
			t.Errorf("registry %q calls itself %q", name, got)
		}
	}
	for name, construct := range Clients() {
		if got := construct().String(); got != name {
			t.Errorf("client %q calls itself %q", name, got)
		}
	}
	for name, construct := range Servers() {
		if got := construct().String(); got != name {
			t.Errorf("server %q calls itself %q", name, got)
		}
	}
	delete(Registries(), "etcd")
	if _, ok := Registries()["etcd"]; !ok {
		t.Error("a map that was handed out is shared")
	}
}
