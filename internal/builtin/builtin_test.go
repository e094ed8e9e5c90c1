package builtin

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
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
	for name, construct := range Map(Brokers()) {
		if got := construct().String(); got != name {
			t.Errorf("broker %q calls itself %q", name, got)
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

func TestNamesOfTransportsAndSelectors(t *testing.T) {
	for name, construct := range Map(Transports()) {
		if got := construct().String(); got != name {
			t.Errorf("transport %q calls itself %q", name, got)
		}
	}
	for name, construct := range Map(Selectors()) {
		if got := construct().String(); got != name {
			t.Errorf("selector %q calls itself %q", name, got)
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
	for name, why := range map[string]string{"service": "the registry of micro's runtime is not in this release", "zookeeper": "unknown registry"} {
		_, err := Resolve("registry", Registries(), own, name)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.HasSuffix(err.Error(), "choose one of: "+choices) {
			t.Errorf("%s: %v", name, err)
		}
	}
	own["service"] = own["memory"]
	if got, err := Resolve("registry", Registries(), own, "service"); err != nil || got != "service" {
		t.Errorf("a program's own: got %q, %v", got, err)
	}
}

func TestHelpOffersWhatIsThere(t *testing.T) {
	got := Choices(Registries())
	for name := range Map(Registries()) {
		if !strings.Contains(got, name) {
			t.Errorf("%q does not offer %s", got, name)
		}
	}
	if strings.Contains(got, "service") {
		t.Errorf("%q offers what is missing", got)
	}
}

func TestResolveRegistries(t *testing.T) {
	own := Map(Registries())
	own["mine"] = own["memory"]
	own["a,b"] = own["memory"]
	for list, want := range map[string]string{
		"etcd": "etcd", "consul,etcd": "consul etcd", " Consul , etcdv3, ": "consul etcd", "mine,memory": "mine memory", "a,b": "a,b",
	} {
		if got, err := ResolveRegistries(own, list); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, %v", list, got, err)
		}
	}
	for list, says := range map[string]string{
		",": "name 1 of 1 is empty", "etcd,,consul": "name 2 of 3 is empty", "etcd,etcdv3": "etcd is there twice",
		"consul,zookeeper": `"zookeeper": unknown registry; choose one of: `, "zookeeper": "unknown registry; choose one of: ", "multi": "unknown registry",
	} {
		if _, err := ResolveRegistries(own, list); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: %v, want %q", list, err, says)
		}
	}
}

func TestOpenRegistry(t *testing.T) {
	names := []string{"consul", "etcd"}
	options := func(name string) []registry.Option { return []registry.Option{registry.Addrs(name + ":1")} }
	one, both := OpenRegistry(Map(Registries()), names[:1], options), OpenRegistry(Map(Registries()), names, options)
	if one.String() != "consul" || one.Options().Addrs[0] != "consul:1" || both.String() != "multi" {
		t.Errorf("made %s with %+v, and %s", one, one.Options(), both)
	}
	for _, r := range []registry.Registry{one, both} {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
}
