package micro_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rollcall-go/micro"

// room is a package and what it may import.
type room struct {
	pkg    string
	may    []string
	reason string
}

// rooms lists the packages of the house with what each may import from it, apart
// from the dictionary, which everybody may. A package that is not listed here has
// no place yet: give it one, with a reason.
//
// A trailing /... stands for a package and everything below it.
var rooms = []room{
	{"metadata", nil, "dictionary: words that every room uses"},
	{"errors", []string{"internal/protomsg"}, "dictionary"},
	{"codec/...", []string{"codec", "internal/protomsg", "errors"}, "dictionary"},
	{"logger", nil, "dictionary"},
	{"internal/protomsg", nil, "plant room: protobuf messages of either generation"},

	{"internal/similar", nil, "plant room: what a mistyped name was meant to be"},
	{"internal/backoff", nil, "plant room: pauses between attempts"},
	{"internal/defaults", nil, "plant room: numbers and hooks, below every contract"},
	{"internal/settings", nil, "plant room: options of one implementation in a Context"},
	{"internal/netaddr", nil, "plant room: addresses of this host"},
	{"internal/reload", nil, "plant room: certificates and passwords that come from files"},
	{"internal/etcd", []string{"internal/backoff", "internal/defaults", "internal/reload"}, "plant room: the connection to etcd"},
	{"internal/etcd/mirror", []string{"internal/etcd", "internal/backoff", "internal/defaults"}, "plant room: copies keys of etcd into memory; knows no services"},
	{"internal/etcd/claim", []string{"internal/ability", "internal/etcd", "internal/etcd/mirror", "internal/backoff", "internal/defaults"}, "plant room: keeps keys in etcd under leases; knows no services"},

	{"registry", nil, "contract: depends on nothing, so that anybody can implement it"},
	{"internal/ability", []string{"registry"}, "contract: what a registry can do beyond the public one"},
	{"internal/feed", []string{"registry", "internal/ability", "internal/backoff", "internal/defaults", "internal/record"}, "contract between backends and discovery"},
	{"internal/record", []string{"registry"}, "copies and compares the contract's records"},
	{"internal/watch", []string{"registry", "internal/record"}, "what a backend's Watcher has yet to deliver"},
	{"broker", []string{"registry", "internal/defaults"}, "contract"},
	{"transport", []string{"internal/defaults"}, "contract"},

	{"registry/etcd", []string{"registry", "internal/etcd", "internal/etcd/mirror", "internal/etcd/claim", "internal/ability", "internal/feed", "internal/record", "internal/watch", "internal/defaults", "internal/reload", "internal/settings"}, "backend: puts the contract on internal/etcd"},
	{"registry/memory", []string{"registry", "internal/feed", "internal/record", "internal/watch", "internal/defaults", "internal/settings"}, "backend"},

	{"internal/disk", []string{"registry"}, "plant room: files of services; knows no registry that runs"},
	{"internal/discovery", []string{"registry", "internal/feed", "internal/record", "internal/backoff", "internal/defaults", "internal/disk"}, "engine room: knows views of services, no wire"},
	{"registry/cache", []string{"registry", "internal/discovery", "internal/ability", "internal/feed", "internal/record", "internal/defaults"}, "the public face of discovery"},
	{"internal/pick", []string{"registry", "client/selector", "internal/discovery", "internal/record", "internal/similar"}, "engine room: chooses nodes, knows no grpc"},
	{"internal/conn", []string{"internal/backoff", "internal/defaults"}, "engine room: the wire to a node, knows no registry"},
	{"internal/enroll", []string{"registry", "internal/ability", "internal/record", "internal/backoff", "internal/defaults"}, "engine room: keeps a service registered"},
	{"internal/rpc", []string{"registry", "client", "server", "internal/protomsg", "internal/defaults"}, "engine room: what client and server have in common"},

	{"client/selector", []string{"registry", "internal/discovery", "internal/feed", "internal/record", "internal/defaults"}, "contract, with one implementation that follows services by itself"},
	{"client", []string{"client/selector", "registry", "broker", "transport", "internal/attempt", "internal/defaults"}, "contract"},
	{"internal/attempt", nil, "plant room: whether a failed attempt may be repeated"},
	{"server", []string{"registry", "broker", "transport", "internal/defaults"}, "contract"},
	{"api", []string{"registry", "server"}, "contract: imported by generated code"},

	{"client/grpc", []string{"client", "client/selector", "broker", "registry", "transport", "internal/attempt", "internal/conn", "internal/defaults", "internal/discovery", "internal/ability", "internal/feed", "internal/pick", "internal/record", "internal/rpc", "internal/settings"}, "call room"},
	{"server/grpc", []string{"server", "broker", "registry", "transport", "api", "internal/defaults", "internal/enroll", "internal/ability", "internal/netaddr", "internal/protomsg", "internal/record", "internal/rpc", "internal/settings"}, "call room"},

	{"internal/builtin", []string{"client", "client/grpc", "client/selector", "server", "server/grpc", "broker", "transport", "registry", "registry/etcd", "registry/memory", "internal/defaults", "internal/ability"}, "wiring: the one list of implementations"},
	{"config/cmd", []string{"internal/builtin", "client", "client/selector", "server", "broker", "transport", "registry", "internal/defaults", "internal/ability", "internal/netaddr", "internal/similar"}, "wiring: flags and environment"},
	{"", []string{"client", "client/grpc", "client/selector", "server", "server/grpc", "broker", "transport", "registry", "config/cmd", "internal/builtin", "internal/defaults", "internal/ability", "internal/protomsg"}, "front door: assembles a service"},

	{"internal/doctor", []string{"registry", "internal/etcd", "internal/record", "internal/netaddr", "internal/defaults"}, "reads everything that the command's doctor reports on; no service links it"},
	{"internal/embedded", nil, "the etcd inside the command; the library never links it"},
	{"cmd/micro/...", []string{"", "client", "server", "client/grpc", "client/selector", "codec/bytes", "config/cmd", "registry", "registry/etcd", "internal/builtin", "internal/defaults", "internal/doctor", "internal/embedded", "internal/etcd", "internal/ability", "internal/record", "internal/reload", "internal/rpc", "internal/similar", "cmd/micro/..."}, "front door: the command"},

	{"registry/registrytest", []string{"registry"}, "test range: one suite for every backend, also those of users"},
	{"internal/testkit/legacypb", []string{"api", "client", "server"}, "test range: what v2's generators wrote"},
	{"internal/testkit/currentpb", nil, "test range: what today's generator writes"},
	{"internal/testkit", nil, "test range: runs processes, links none of what it tests"},
	{"internal/testkit/fleet", []string{"", "client", "client/grpc", "server", "server/grpc", "registry", "registry/etcd", "internal/testkit", "internal/testkit/legacypb"}, "test range: services, clients and processes that tests of whole programs are made of"},
	{"faults/...", []string{"", "client", "client/grpc", "client/selector", "server", "server/grpc", "registry", "registry/etcd", "registry/cache", "registry/memory", "config/cmd"}, "test range: one test for each fault that we know"},
	{"e2e/...", []string{"", "client", "client/grpc", "client/selector", "server", "server/grpc", "registry", "registry/etcd", "config/cmd", "codec/bytes", "e2e/programs/...", "internal/testkit/legacypb"}, "test range: whole programs, as users write them"},
	{"examples/...", []string{"", "client", "server", "registry", "registry/etcd"}, "what a user writes"},
}

var dictionary = []string{"metadata", "errors", "codec", "codec/bytes", "codec/json", "codec/proto", "logger"}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range list(t, "./...") {
		pkg := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		i := slices.IndexFunc(rooms, func(r room) bool { return matches(r.pkg, pkg) })
		if i < 0 {
			t.Errorf("package %q has no room: add it to the table with what it may import and why", pkg)
			continue
		}
		for _, imp := range p.Imports {
			if !ours(imp) {
				continue
			}
			imp = strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
			if slices.Contains(dictionary, imp) && !slices.Contains(dictionary, pkg) {
				continue
			}
			if !slices.ContainsFunc(rooms[i].may, func(m string) bool { return matches(m, imp) }) {
				t.Errorf("%q imports %q, which its room forbids (%s)", pkg, imp, rooms[i].reason)
			}
		}
	}
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

// TestLinks checks what lands in the binary of a program that imports a package.
func TestLinks(t *testing.T) {
	heavy := []string{"go.etcd.io/etcd/server/", "go.etcd.io/bbolt", "github.com/prometheus/", "go.opentelemetry.io/", module + "/internal/embedded"}
	for _, tc := range []struct {
		pkg    string
		never  []string
		reason string
	}{
		{".", heavy, "a service is not an etcd server and brings its own metrics"},
		{"./internal/testkit", heavy, "tests of the library link what the library links"},
		{"./registry/registrytest", []string{"google.golang.org/grpc"}, "the suite serves backends that do not speak grpc"},
		{"./registry", []string{"google.golang.org/", "go.etcd.io/"}, "a Registry can be written from the contract alone"},
	} {
		for _, p := range list(t, "-deps", tc.pkg) {
			for _, n := range tc.never {
				if strings.HasPrefix(p.ImportPath, n) {
					t.Errorf("%s links %s: %s", tc.pkg, p.ImportPath, tc.reason)
				}
			}
		}
	}
}

type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Dir,Imports,GoFiles"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.String())
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatalf("go list %v: no package", args)
	}
	return all
}
