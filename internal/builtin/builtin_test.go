package builtin

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestNames holds each name on a command line to the name that the
// implementation gives itself: the two are compared to tell whether it is in
// place already.
func TestNames(t *testing.T) {
	for name, construct := range Map(Registries()) {
		if got := construct().String(); got != name {
			t.Errorf("registry %q calls itself %q", name, got)
		}
	}
	for name, construct := range Map(Clients()) {
		if got := construct().String(); got != name {
			t.Errorf("client %q calls itself %q", name, got)
		}
	}
	for name, construct := range Map(Servers()) {
		if got := construct().String(); got != name {
			t.Errorf("server %q calls itself %q", name, got)
		}
	}
}

func TestResolve(t *testing.T) {
	own := Map(Registries())
	own["Mine"] = own["memory"]
	for name, want := range map[string]string{"etcd": "etcd", "ETCD": "etcd", "etcdv3": "etcd", "EtcdV3": "etcd", "Mine": "Mine", "mine": "Mine"} {
		if got, err := Resolve("registry", Registries(), own, name); err != nil || got != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	choices := strings.Join(slices.Sorted(maps.Keys(own)), ", ")
	for name, why := range map[string]string{"mdns": "mDNS is not in this release", "zookeeper": "unknown registry"} {
		_, err := Resolve("registry", Registries(), own, name)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.HasSuffix(err.Error(), "choose one of: "+choices) {
			t.Errorf("%s: %v", name, err)
		}
	}
	own["mdns"] = own["memory"]
	if got, err := Resolve("registry", Registries(), own, "mdns"); err != nil || got != "mdns" {
		t.Errorf("a program's own mdns: got %q, %v", got, err)
	}
}

func TestHelpOffersWhatIsThere(t *testing.T) {
	got := Choices(Registries())
	for name := range Map(Registries()) {
		if !strings.Contains(got, name) {
			t.Errorf("%q does not offer %s", got, name)
		}
	}
	if strings.Contains(got, "mdns") {
		t.Errorf("%q offers what is missing", got)
	}
}
