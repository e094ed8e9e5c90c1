package compare

import "strings"

// Path says where a package of v2 has its home here.
type Path struct {
	// Old is below v2's root, "." being the root itself. A trailing /... stands for
	// the package and everything below it.
	Old string
	// New is below our root. Empty means the same as Old.
	New string
	// By names what will bring a package that is not there yet.
	By string
}

// Paths is the table of homes. The first row that fits a package counts.
var Paths = []Path{
	{Old: "."},
	{Old: "api"},
	{Old: "broker"},
	{Old: "client"},
	{Old: "client/grpc"},
	{Old: "client/selector"},
	{Old: "codec"},
	{Old: "codec/bytes"},
	{Old: "codec/json"},
	{Old: "codec/proto"},
	{Old: "config"},
	{Old: "config/cmd"},
	{Old: "config/encoder"},
	{Old: "config/encoder/hcl"},
	{Old: "config/encoder/json"},
	{Old: "config/encoder/toml"},
	{Old: "config/encoder/xml"},
	{Old: "config/encoder/yaml"},
	{Old: "config/loader"},
	{Old: "config/loader/memory"},
	{Old: "config/reader"},
	{Old: "config/reader/json"},
	{Old: "config/source"},
	{Old: "config/source/cli"},
	{Old: "config/source/env"},
	{Old: "config/source/etcd"},
	{Old: "config/source/file"},
	{Old: "config/source/flag"},
	{Old: "config/source/memory"},
	{Old: "errors"},
	{Old: "logger"},
	{Old: "metadata"},
	{Old: "registry"},
	{Old: "registry/cache"},
	{Old: "registry/etcd"},
	{Old: "registry/memory"},
	{Old: "server"},
	{Old: "server/grpc"},
	{Old: "store"},
	{Old: "transport"},

	{Old: "client/selector/static", By: "selectors"},
	{Old: "registry/mdns", By: "mdns"},
	{Old: "web", By: "web"},
	{Old: "broker/service/...", New: "compat/broker/service", By: "compat shelf"},
	{Old: "broker/...", By: "brokers"},
	{Old: "config/source/service/...", New: "compat/config/source/service", By: "compat shelf"},
	{Old: "config/...", By: "config centre"},
	{Old: "store/...", By: "store"},
	{Old: "auth/...", By: "auth"},
	{Old: "debug/...", By: "debug/trace"},
	{Old: "client/mucp", By: "mucp"},
	{Old: "server/mucp", By: "mucp"},
	{Old: "service/mucp", New: "compat/service/mucp", By: "mucp"},
	{Old: "codec/...", By: "mucp"},
	{Old: "transport/...", By: "mucp"},
	{Old: "runtime/...", By: "runtime"},
	{Old: "sync/...", By: "sync"},

	// The platform around v2, and what exists for old programs alone.
	{Old: "agent/...", New: "compat/agent", By: "compat shelf"},
	{Old: "api/...", New: "compat/api", By: "compat shelf"},
	{Old: "client/...", New: "compat/client", By: "compat shelf"},
	{Old: "network/...", New: "compat/network", By: "compat shelf"},
	{Old: "plugin/...", New: "compat/plugin", By: "compat shelf"},
	{Old: "proxy/...", New: "compat/proxy", By: "compat shelf"},
	{Old: "registry/service/...", New: "compat/registry/service", By: "compat shelf"},
	{Old: "router/...", New: "compat/router", By: "compat shelf"},
	{Old: "server/...", New: "compat/server", By: "compat shelf"},
	{Old: "service/...", New: "compat/service", By: "compat shelf"},
	{Old: "tunnel/...", New: "compat/tunnel", By: "compat shelf"},
	{Old: "util/...", New: "compat/util", By: "compat shelf"},
}

// others are packages of v2's world outside its module.
var others = map[string]string{
	"github.com/micro/cli/v2": "github.com/urfave/cli/v2",
}

func (p Path) old() string { return join(Old, p.Old) }

func (p Path) new() string {
	if p.New != "" {
		return join(New, p.New)
	}
	return join(New, p.Old)
}

// name is what the package is called in the account.
func (p Path) name() string {
	if p.Old == "." {
		return "micro"
	}
	return p.Old
}

func (p Path) covers(path string) bool {
	base, below := strings.CutSuffix(p.Old, "/...")
	base = join(Old, base)
	return path == base || below && strings.HasPrefix(path, base+"/")
}

func join(root, path string) string {
	if path == "." {
		return root
	}
	return root + "/" + path
}

// find returns the row for a package of v2.
func find(paths []Path, path string) (Path, bool) {
	for _, p := range paths {
		if p.covers(path) {
			return p, true
		}
	}
	return Path{}, false
}

// homeOf translates the import path of a type in a signature. Of a package that
// is not there yet the old path stays, so that nothing can be equal to it.
func homeOf(paths []Path, path string) string {
	if other, ok := others[path]; ok {
		return other
	}
	if p, ok := find(paths, path); ok && p.By == "" {
		return p.new()
	}
	return path
}

// bringer returns what will bring the types in a signature that are not there yet.
func bringer(paths []Path, signature string) string {
	_, rest, ok := strings.Cut(signature, Old+"/")
	if !ok {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r == '.' })
	if end < 0 {
		return ""
	}
	p, _ := find(paths, join(Old, rest[:end]))
	return p.By
}
