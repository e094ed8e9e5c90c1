package compare

import "strings"

// plugins are modules of v2's world outside its own, and their homes here.
var plugins = map[string]string{
	"github.com/micro/cli/v2":                                      "github.com/urfave/cli/v2",
	"github.com/micro/go-plugins/client/http":                      New + "/client/http",
	"github.com/micro/go-plugins/client/http/v2":                   New + "/client/http",
	"github.com/micro/go-plugins/registry/etcd":                    New + "/registry/etcd",
	"github.com/micro/go-plugins/registry/consul/v2":               New + "/registry/consul",
	"github.com/micro/go-plugins/registry/etcd/v2":                 New + "/registry/etcd",
	"github.com/micro/go-plugins/registry/etcdv3/v2":               New + "/registry/etcd",
	"github.com/micro/go-plugins/config/source/consul/v2":          New + "/config/source/consul",
	"github.com/micro/go-plugins/config/source/etcd/v2":            New + "/config/source/etcd",
	"github.com/micro/go-micro/plugins/config/source/etcd/v2":      New + "/config/source/etcd",
	"github.com/micro/go-plugins/broker/nats/v2":                   New + "/broker/nats",
	"github.com/micro/go-plugins/wrapper/breaker/gobreaker/v2":     New + "/wrapper/breaker/gobreaker",
	"github.com/micro/go-plugins/wrapper/breaker/hystrix/v2":       New + "/wrapper/breaker/hystrix",
	"github.com/micro/go-plugins/wrapper/ratelimiter/ratelimit/v2": New + "/wrapper/ratelimiter/ratelimit",
	"github.com/micro/go-plugins/wrapper/ratelimiter/uber/v2":      New + "/wrapper/ratelimiter/uber",
	"github.com/micro/go-plugins/wrapper/select/roundrobin/v2":     New + "/wrapper/select/roundrobin",
	"github.com/micro/go-plugins/wrapper/select/version/v2":        New + "/wrapper/select/version",
	"github.com/micro/go-plugins/wrapper/validator/v2":             New + "/wrapper/validator",
	"github.com/micro/go-plugins/wrapper/endpoint/v2":              New + "/wrapper/endpoint",

	// What grpc-go of today needs of etcd's client. The types are the same.
	"github.com/coreos/etcd/clientv3":             "go.etcd.io/etcd/client/v3",
	"github.com/coreos/etcd/clientv3/concurrency": "go.etcd.io/etcd/client/v3/concurrency",
	"github.com/coreos/etcd/mvcc/mvccpb":          "go.etcd.io/etcd/api/v3/mvccpb",
	"go.etcd.io/etcd/clientv3":                    "go.etcd.io/etcd/client/v3",
	"go.etcd.io/etcd/clientv3/concurrency":        "go.etcd.io/etcd/client/v3/concurrency",
	"go.etcd.io/etcd/mvcc/mvccpb":                 "go.etcd.io/etcd/api/v3/mvccpb",
}

// v1 is the module of go-micro before v2; programs import it beside v2, and its packages
// have the names that v2's have.
const v1 = "github.com/micro/go-micro"

// Home returns where a package of v2's world is here. Of one that is not, why says what to
// take instead, and is empty of packages that have nothing to do with v2.
func Home(path string) (home, why string) {
	if home, ok := plugins[path]; ok {
		return home, ""
	}
	if rest, ok := strings.CutPrefix(path, v1); ok && !strings.HasPrefix(rest, "/v") && !strings.HasPrefix(rest, "/plugins/") && (rest == "" || rest[0] == '/') {
		path = Old + rest
	}
	p, ok := find(Paths, path)
	switch {
	case !ok && strings.HasPrefix(path, "github.com/micro/"):
		return "", "a plugin that has no home here"
	case !ok:
		return "", ""
	case p.By != "":
		return "", "it comes with " + p.By
	case p.Why != "":
		return "", p.Why
	}
	return p.new(), ""
}
