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
	{"errors", nil, "dictionary"},
	{"codec/...", []string{"codec", "internal/frame", "internal/protomsg"}, "dictionary"},
	{"internal/frame", nil, "plant room: what others say the length of, read within bounds"},
	{"logger", []string{"debug/log"}, "dictionary"},
	{"internal/protomsg", nil, "plant room: protobuf messages of either generation"},

	{"internal/ring", nil, "plant room: the newest values of a kind"},
	{"internal/similar", nil, "plant room: what a mistyped name was meant to be"},
	{"internal/backoff", nil, "plant room: waits between attempts"},
	{"internal/defaults", nil, "plant room: numbers and hooks, below every contract"},
	{"internal/settings", nil, "plant room: options of one implementation in a Context"},
	{"internal/netaddr", nil, "plant room: addresses of this host"},
	{"internal/nearby", nil, "plant room: a registry of this host that may have been meant"},
	{"internal/refusal", nil, "plant room: which errors of a registry somebody has to mend"},
	{"internal/interrupt", nil, "plant room: signals that end a context"},
	{"internal/reload", nil, "plant room: certificates and passwords that come from files"},
	{"internal/once", nil, "plant room: bounds what is said of what comes from outside"},
	{"internal/excerpt", nil, "plant room: shortens what comes from outside"},
	{"internal/panics", []string{"internal/defaults", "internal/excerpt", "internal/once"}, "plant room: what is logged of a panic"},
	{"internal/secure", []string{"internal/record", "internal/reload"}, "plant room: TLS between services: settings, handshakes, identities; knows no calls"},
	{"internal/credentials", []string{"internal/reload"}, "plant room: what lets a program into a registry, as options and flags say it"},
	{"internal/etcd", []string{"internal/backoff", "internal/defaults", "internal/refusal", "internal/reload", "internal/netaddr"}, "plant room: the connection to etcd"},
	{"internal/etcd/mirror", []string{"internal/etcd", "internal/backoff", "internal/defaults"}, "plant room: copies keys of etcd into memory; knows no services"},
	{"internal/etcd/claim", []string{"internal/ability", "internal/etcd", "internal/etcd/mirror", "internal/backoff", "internal/defaults", "internal/refusal"}, "plant room: keeps keys in etcd under leases; knows no services"},

	{"internal/deflated", nil, "plant room: compressed text in hexadecimal digits, as v2 writes it"},
	{"internal/consul", []string{"internal/credentials", "internal/defaults", "internal/refusal", "internal/reload"}, "plant room: the connection to an agent of Consul; knows no services of ours"},
	{"internal/consul/tags", []string{"registry", "internal/deflated"}, "plant room: what stands in the tags of a Consul service"},

	{"internal/etcd/layout", []string{"registry", "internal/record"}, "plant room: the keys in etcd and what stands in them"},

	{"internal/mdns", []string{"registry", "internal/mdns/txt", "internal/backoff", "internal/record", "internal/settings"}, "plant room: registers and finds nodes by multicast DNS; owns the sockets"},
	{"internal/mdns/txt", []string{"internal/deflated", "registry"}, "plant room: what v2 says about nodes in multicast DNS, names and texts; knows no packets"},

	{"registry", []string{"internal/defaults"}, "contract: depends on no implementation, so that anybody can implement it"},
	{"internal/ability", []string{"registry"}, "contract: what a registry can do beyond the public one"},
	{"internal/feed", []string{"registry", "internal/ability", "internal/backoff", "internal/defaults", "internal/record"}, "contract between backends and discovery"},
	{"internal/record", []string{"registry"}, "copies and compares the contract's records"},
	{"internal/watch", []string{"registry", "internal/record"}, "what a backend's Watcher has yet to deliver"},
	{"broker", []string{"registry", "internal/defaults"}, "contract"},
	{"internal/delivery", []string{"broker", "internal/backoff", "internal/defaults", "internal/once", "internal/panics", "internal/settings"}, "engine room: queues and handlers of subscriptions; knows no wire"},
	{"broker/memory", []string{"broker", "internal/delivery"}, "broker within the process"},
	{"broker/nats", []string{"broker", "internal/backoff", "internal/credentials", "internal/defaults", "internal/delivery", "internal/reload", "internal/settings"}, "broker on a server of NATS"},
	{"broker/http", []string{"broker", "registry", "internal/ability", "internal/announce", "internal/backoff", "internal/defaults", "internal/delivery", "internal/discovery", "internal/enroll", "internal/excerpt", "internal/feed", "internal/netaddr", "internal/once", "internal/record", "internal/settings"}, "broker over HTTP: its subscriptions are nodes in the registry"},
	{"broker/brokertest", []string{"broker"}, "test range: one suite for every broker, also those of users"},
	{"transport", []string{"internal/defaults", "internal/frame", "internal/netaddr", "internal/panics"}, "contract, with v2's default, which needs the standard library alone"},
	{"transport/transporttest", []string{"transport"}, "test range: one suite for every transport"},
	{"transport/memory", []string{"transport", "internal/panics"}, "backend of transport"},
	{"transport/grpc", []string{"transport", "internal/netaddr", "internal/panics"}, "backend of transport"},
	{"transport/http", []string{"transport"}, "backend of transport, under its name"},

	{"registry/etcd", []string{"registry", "internal/credentials", "internal/etcd", "internal/etcd/layout", "internal/etcd/mirror", "internal/etcd/claim", "internal/ability", "internal/feed", "internal/record", "internal/watch", "internal/defaults", "internal/reload", "internal/settings", "internal/refusal"}, "backend: puts the contract on internal/etcd"},
	{"registry/consul", []string{"registry", "internal/credentials", "internal/consul", "internal/consul/tags", "internal/ability", "internal/backoff", "internal/feed", "internal/record", "internal/watch", "internal/defaults", "internal/refusal", "internal/reload", "internal/settings"}, "backend: puts the contract on internal/consul"},
	{"registry/memory", []string{"registry", "internal/feed", "internal/record", "internal/watch", "internal/settings"}, "backend"},

	{"registry/mdns", []string{"registry", "internal/mdns", "internal/mdns/txt", "internal/ability", "internal/backoff", "internal/defaults", "internal/feed", "internal/record", "internal/settings", "internal/watch"}, "backend: puts the contract on internal/mdns"},
	{"registry/multi", []string{"registry", "internal/ability", "internal/backoff", "internal/defaults", "internal/feed", "internal/record", "internal/settings", "internal/watch"}, "backend: several as one"},

	{"internal/disk", []string{"registry"}, "plant room: files of services; knows no registry that runs"},
	{"internal/discovery", []string{"registry", "internal/feed", "internal/record", "internal/defaults", "internal/disk", "internal/refusal"}, "engine room: knows views of services, no wire"},
	{"registry/cache", []string{"registry", "internal/discovery", "internal/ability", "internal/feed", "internal/record", "internal/defaults", "internal/settings"}, "the public face of discovery"},
	{"internal/endpoint", []string{"registry", "internal/netaddr", "internal/record"}, "engine room: where a node is reached, and what a transport is"},
	{"internal/balance", []string{"internal/defaults", "internal/record"}, "engine room: rules by which calls are shared out; knows no connections and no snapshots"},
	{"internal/pick", []string{"registry", "client/selector", "internal/balance", "internal/discovery", "internal/endpoint", "internal/record", "internal/similar", "internal/refusal"}, "engine room: chooses nodes, knows no grpc"},
	{"internal/conn", []string{"internal/defaults", "internal/endpoint", "internal/secure"}, "engine room: the wire to a node, knows no registry"},
	{"internal/enroll", []string{"registry", "internal/ability", "internal/record", "internal/backoff", "internal/defaults"}, "engine room: keeps a service registered"},
	{"internal/tracing", []string{"debug/trace"}, "engine room: puts calls into spans, for who makes and who serves them"},
	{"internal/announce", []string{"registry", "internal/ability", "internal/enroll", "internal/netaddr", "internal/record", "internal/defaults"}, "engine room: a server's way into the registry, whatever it speaks"},
	{"internal/calling", []string{"client", "client/selector", "registry", "internal/ability", "internal/balance", "internal/discovery", "internal/pick", "internal/settings"}, "engine room: how clients of every protocol find the nodes of a service"},
	{"internal/rpc", []string{"registry", "server", "internal/excerpt", "internal/protomsg"}, "engine room: what client and server have in common"},

	{"debug", nil, "contract: the root of what a service tells about itself"},
	{"debug/log", []string{"internal/ring"}, "contract, with one implementation: what the logger wrote"},
	{"debug/log/...", []string{"debug/log"}, "logs"},
	{"debug/stats", []string{"internal/ring"}, "contract, with one implementation: what a process served"},
	{"debug/trace", []string{"internal/defaults"}, "contract: which calls belong together"},
	{"debug/trace/memory", []string{"debug/trace", "internal/defaults", "internal/ring"}, "tracer"},
	{"debug/profile", nil, "contract"},
	{"debug/profile/...", []string{"debug/profile"}, "profilers"},
	{"debug/service", []string{"client", "debug", "debug/log", "debug/service/proto"}, "the log of another service"},
	{"debug/service/handler", []string{"client", "server", "debug/log", "debug/stats", "debug/trace", "debug/service/proto", "internal/settings"}, "answers for a service"},
	{"debug/service/proto", []string{"api", "client", "server"}, "what protoc-gen-micro writes of v2's messages"},
	{"client/selector", []string{"registry", "internal/ability", "internal/balance", "internal/discovery", "internal/feed", "internal/record", "internal/settings"}, "contract, with one implementation that follows services by itself"},
	{"client/selector/static", []string{"client/selector", "registry"}, "selector without a registry"},
	{"client/selector/dns", []string{"client/selector", "registry", "internal/defaults"}, "selector without a registry"},
	{"client", []string{"client/selector", "registry", "broker", "transport", "internal/attempt", "internal/defaults"}, "contract"},
	{"store", []string{"client", "internal/defaults"}, "contract"},
	{"auth/provider/...", []string{"auth/provider"}, "contract, with implementations that ask nobody"},
	{"auth", []string{"auth/provider", "auth/provider/basic", "client", "store"}, "contract, with the implementation that lets everybody in"},
	{"auth/rules", []string{"auth"}, "judges by rules; knows no tokens"},
	{"auth/token", []string{"auth", "store"}, "contract: tokens that stand for accounts"},
	{"auth/token/basic", []string{"auth", "auth/token", "store"}, "tokens that stand in a store"},
	{"auth/token/jwt", []string{"auth", "auth/token", "internal/reload"}, "tokens that are signed"},
	{"auth/jwt", []string{"auth", "auth/rules", "auth/token", "auth/token/jwt"}, "implementation of auth: tokens that are signed, and rules"},
	{"internal/authcall", []string{"auth", "auth/token", "client", "server"}, "call room: has calls judged, and puts tokens on them; knows no grpc"},
	{"internal/storage", []string{"store"}, "plant room: which records an operation on a store means, and how long they are there"},
	{"store/memory", []string{"store", "internal/defaults", "internal/storage"}, "backend of store"},
	{"store/etcd", []string{"store", "registry", "internal/etcd", "internal/etcd/attach", "internal/etcd/layout", "internal/storage"}, "backend of store: puts the contract on internal/etcd"},
	{"store/storetest", []string{"store"}, "test range: one suite for every store, also those of users"},
	{"sync", nil, "contract"},
	{"internal/ending", nil, "plant room: says once that something is over"},
	{"internal/etcd/attach", []string{"registry", "internal/ability", "internal/credentials", "internal/etcd", "internal/etcd/layout", "internal/reload", "internal/settings"}, "plant room: which connection to etcd a part uses that keeps something beside the registry"},
	{"internal/etcd/lock", []string{"sync", "internal/backoff", "internal/ending", "internal/etcd", "internal/etcd/layout", "internal/refusal"}, "plant room: waits in line for keys in etcd, and holds them"},
	{"sync/memory", []string{"sync", "internal/ending"}, "backend of sync"},
	{"sync/etcd", []string{"sync", "registry", "internal/ability", "internal/defaults", "internal/etcd", "internal/etcd/attach", "internal/etcd/layout", "internal/etcd/lock"}, "backend of sync: puts the contract on internal/etcd"},
	{"sync/locktest", []string{"sync"}, "test range: one suite for every sync, also those of users"},
	{"internal/attempt", nil, "plant room: whether a failed attempt may be repeated"},
	{"internal/budget", nil, "plant room: how many calls may be made twice"},
	{"internal/percentile", nil, "plant room: within what time most calls are answered"},
	{"server", []string{"auth", "registry", "broker", "transport", "internal/defaults", "debug/trace"}, "contract"},
	{"api", []string{"registry", "server"}, "contract: imported by generated code"},

	{"resolver", []string{"registry", "internal/discovery", "internal/endpoint", "internal/feed", "internal/record"}, "discovery for plain grpc-go: has no calls of its own"},
	{"client/grpc", []string{"client", "client/selector", "registry", "broker", "internal/attempt", "internal/calling", "internal/balance", "internal/budget", "internal/conn", "internal/defaults", "internal/discovery", "internal/endpoint", "internal/ability", "internal/feed", "internal/nearby", "internal/percentile", "internal/once", "internal/pick", "internal/record", "internal/rpc", "internal/reload", "internal/secure", "internal/settings", "internal/refusal"}, "call room"},
	{"client/http", []string{"client", "client/selector", "client/grpc", "registry", "internal/attempt", "internal/backoff", "internal/budget", "internal/calling", "internal/defaults", "internal/discovery", "internal/endpoint", "internal/feed", "internal/pick", "internal/rpc", "internal/secure", "internal/settings"}, "call room: HTTP services by name"},
	{"server/grpc", []string{"server", "broker", "registry", "internal/announce", "internal/backoff", "internal/defaults", "internal/enroll", "internal/once", "internal/panics", "internal/protomsg", "internal/record", "internal/rpc", "internal/reload", "internal/secure", "internal/settings", "debug/stats", "debug/trace", "internal/tracing"}, "call room"},

	{"internal/breaker", []string{"client"}, "plant room of wrappers: circuits, and what counts as a failure"},
	{"internal/throttle", []string{"client", "server", "internal/backoff", "internal/wrapping"}, "plant room of wrappers: how requests wait for their turn"},
	{"internal/wrapping", []string{"client", "internal/protomsg"}, "plant room of wrappers: what those around clients have in common"},
	{"wrapper/breaker/gobreaker", []string{"client", "registry", "internal/breaker", "internal/endpoint", "internal/wrapping"}, "wrapper: knows the contracts alone, and how an attempt says that it was not made"},
	{"wrapper/breaker/hystrix", []string{"client", "internal/breaker", "internal/wrapping"}, "wrapper"},
	{"wrapper/ratelimiter/...", []string{"client", "server", "internal/throttle"}, "wrapper"},
	{"wrapper/select/...", []string{"client", "client/selector", "registry", "internal/wrapping"}, "wrapper"},
	{"wrapper/recovery", []string{"client", "server", "registry", "internal/excerpt", "internal/panics"}, "wrapper"},
	{"wrapper/...", []string{"client", "server", "internal/wrapping"}, "wrappers: each knows the contracts and no other wrapper"},

	{"internal/tree", nil, "plant room: configuration as decoders return it"},
	{"internal/mask", nil, "plant room: errors without what a text holds"},
	{"config/encoder/...", []string{"config/encoder", "config/encoder/json", "internal/mask"}, "contract, with one implementation a format"},
	{"config/source", []string{"client", "config/encoder", "config/encoder/json"}, "contract: what configuration comes from"},
	{"config/reader", []string{"config/source", "config/encoder", "config/encoder/json", "config/encoder/toml", "config/encoder/xml", "config/encoder/yaml"}, "contract"},
	{"config/reader/json", []string{"config/reader", "config/source", "config/encoder", "config/encoder/json", "internal/tree"}, "merges sources and answers for values"},
	{"config/loader", []string{"config/reader", "config/source"}, "contract"},
	{"config/loader/memory", []string{"config/loader", "config/reader", "config/reader/json", "config/source", "internal/backoff", "internal/defaults", "internal/settings"}, "engine room: follows sources, knows none of them"},
	{"internal/keytree", []string{"config/source", "config/encoder", "config/encoder/json", "internal/tree"}, "plant room: configuration whose paths keys of a store spell; knows no store"},
	{"internal/gray", []string{"config/source", "config/encoder/json"}, "plant room: who values for some instances alone are for, and their record"},
	{"config/source/etcd", []string{"config/source", "internal/gray", "internal/refusal", "internal/keytree", "internal/mask", "internal/settings", "internal/etcd", "internal/etcd/claim", "internal/etcd/mirror", "internal/etcd/layout", "internal/ability", "internal/backoff", "internal/credentials", "internal/defaults", "internal/reload", "registry"}, "source: puts the contract on internal/etcd"},
	{"config/source/consul", []string{"config/source", "config/encoder", "internal/keytree", "internal/settings", "internal/consul", "internal/backoff", "internal/credentials", "internal/defaults", "internal/reload"}, "source: puts the contract on internal/consul"},
	{"config/source/cli", []string{"config/source", "config/cmd", "internal/settings", "internal/tree"}, "source: the flags of the command line"},
	{"config/source/...", []string{"config/source", "config/encoder", "internal/settings", "internal/tree"}, "sources: each knows the contract and no other source"},
	{"config/schema", []string{"config/encoder/json"}, "judges documents by a schema; knows no sources and no store"},
	{"internal/lint", []string{"config/encoder/json", "config/schema", "config/secret", "internal/gray", "internal/keytree", "internal/tree"}, "engine room: what is wrong with a configuration; knows no store"},
	{"config/center", []string{"registry", "config/source", "internal/keytree", "config/secret", "config/encoder", "config/encoder/json", "config/encoder/toml", "config/encoder/yaml", "internal/ability", "internal/defaults", "internal/etcd", "internal/etcd/layout", "internal/etcd/mirror", "internal/gray", "internal/lint", "config/schema", "internal/refusal"}, "operates the configuration in etcd, for the command and for consoles; knows no requests of etcd"},
	{"config/secret", []string{"config/reader", "config/reader/json", "internal/reload"}, "values that the services alone may read: sealed in every store, open in what a program reads"},
	{"config", []string{"config/loader", "config/loader/memory", "config/reader", "config/reader/json", "config/source", "config/source/file"}, "front door: configuration"},

	{"internal/registryflags", []string{"registry", "internal/consul", "internal/credentials", "internal/etcd", "internal/reload", "internal/settings", "internal/etcd/layout"}, "wiring: where a registry is and how to be let in, for services and the command alike"},
	{"internal/callflags", []string{"client", "server", "internal/registryflags", "internal/reload", "internal/secure", "internal/settings"}, "wiring: how calls are secured, for services and the command alike"},
	{"internal/wiring", []string{"config", "config/source", "internal/defaults", "registry", "server", "client", "broker", "internal/record"}, "wiring: tells the parts of a service of one another"},
	{"internal/builtin", []string{"broker", "broker/http", "broker/memory", "broker/nats", "client", "client/grpc", "client/selector", "client/selector/dns", "client/selector/static", "transport", "transport/grpc", "transport/http", "transport/memory", "server", "server/grpc", "registry", "registry/etcd", "registry/consul", "registry/mdns", "registry/memory", "registry/multi", "auth", "auth/jwt", "auth/provider", "auth/provider/basic", "auth/provider/oauth", "store", "store/etcd", "store/memory", "internal/registryflags", "debug/profile", "debug/profile/http", "debug/profile/pprof", "debug/trace", "debug/trace/memory"}, "wiring: the one list of implementations"},
	{"config/cmd", []string{"auth", "auth/provider", "config", "store", "store/etcd", "internal/authcall", "internal/builtin", "internal/callflags", "client", "client/selector", "server", "broker", "transport", "registry", "internal/ability", "internal/balance", "internal/settings", "internal/netaddr", "internal/similar", "internal/registryflags", "internal/wiring", "debug/profile", "debug/service/handler", "debug/trace"}, "wiring: flags and environment"},
	{"", []string{"internal/interrupt", "auth", "internal/authcall", "config", "client", "client/selector", "server", "broker", "store", "transport", "registry", "config/cmd", "internal/ability", "internal/wrapping", "internal/wiring", "debug/profile", "debug/service/handler", "debug/trace", "debug/trace/memory", "internal/tracing"}, "front door: assembles a service"},

	{"compat/...", []string{"auth", "debug/stats", "debug/trace", "internal/authcall", "internal/wrapping", "", "client", "client/grpc", "client/selector", "server", "server/grpc", "broker", "registry", "transport", "store", "config/cmd", "debug/log", "compat/service", "compat/util/ctx", "internal/record", "internal/ring", "internal/tracing", "client/http", "internal/secure"}, "shelf: what only older programs use, on the rooms of the house; the house imports none of it"},

	{"web", []string{"", "client", "client/http", "registry", "server", "internal/announce", "internal/defaults", "internal/enroll", "internal/interrupt", "internal/record", "internal/reload", "internal/secure", "internal/settings"}, "front door: HTTP services"},

	{"internal/doctor", []string{"registry", "internal/consul", "internal/consul/tags", "internal/refusal", "internal/etcd", "internal/etcd/layout", "internal/lint", "internal/netaddr", "internal/defaults", "internal/record", "internal/secure"}, "reads everything that the command's doctor reports on; no service links it"},
	{"internal/operate", []string{"registry", "internal/etcd", "internal/etcd/layout", "internal/consul", "internal/consul/tags", "internal/feed", "internal/record"}, "what an operator does to nodes, for the command and for consoles; no service links it"},
	{"internal/bridge", []string{"registry", "internal/ability", "internal/backoff", "internal/defaults", "internal/feed", "internal/record"}, "mirrors one registry into another, for the command; no service links it"},
	{"internal/embedded", nil, "the etcd inside the command; the library never links it"},
	{"cmd/micro/...", []string{"", "config/source", "cmd/micro/demo", "config/center", "config/secret", "internal/gray", "client", "server", "client/grpc", "registry", "internal/balance", "internal/pick", "config/cmd", "internal/endpoint", "internal/record", "internal/bridge", "internal/defaults", "internal/doctor", "internal/embedded", "internal/ability", "internal/feed", "internal/nearby", "internal/operate", "internal/consul", "internal/mdns", "internal/settings", "internal/etcd", "internal/similar", "internal/registryflags", "internal/builtin", "internal/callflags", "internal/secure", "client/selector", "debug/service/proto"}, "front door: the command"},

	{"cmd/protoc-gen-micro", []string{"internal/defaults"}, "writes code that imports the contracts, and imports none itself"},

	{"registry/registrytest", []string{"registry", "internal/ability", "internal/discovery", "internal/feed"}, "test range: one suite for every backend, also those of users"},
	{"internal/testkit/legacypb", []string{"api", "client", "server"}, "test range: what v2's generators wrote"},
	{"internal/testkit/micropb/...", []string{"api", "client", "server", "internal/testkit/micropb/shared", "internal/testkit/micropb/names/client", "internal/testkit/micropb/names/in"}, "test range: what protoc-gen-micro writes"},
	{"internal/testkit/currentpb", nil, "test range: what today's generator writes"},
	{"internal/testkit/talkpb", []string{"api", "client", "server", "internal/testkit/currentpb"}, "test range: what v2's generator wrote of every kind of stream"},
	{"internal/testkit/stub", []string{"client", "server"}, "test range: stands in for clients, requests and messages"},
	{"internal/testkit", nil, "test range: runs processes, links none of what it tests"},
	{"internal/testkit/fleet", []string{"", "client", "client/grpc", "server", "server/grpc", "registry", "registry/consul", "registry/etcd", "internal/testkit", "internal/testkit/legacypb", "internal/testkit/micropb/kinds", "internal/testkit/micropb/shared"}, "test range: services, clients and processes that tests of whole programs are made of"},
	{"faults/...", nil, "test range: one test for each fault that we know"},
	{"e2e/...", []string{"", "registry", "registry/etcd", "config/cmd", "internal/testkit/legacypb", "examples/registry"}, "test range: whole programs, as users write them"},
	{"examples/events/...", []string{"", "server"}, "what a user writes"},
	{"examples/config", []string{"", "config", "config/center", "config/source/etcd"}, "what a user writes"},
	{"examples/leader", []string{"", "sync", "sync/etcd"}, "what a user writes"},
	{"examples/proto/greeterpb", []string{"api", "client", "server"}, "what protoc-gen-micro writes"},
	{"examples/proto/...", []string{"", "examples/proto/greeterpb"}, "what a user writes"},
	{"examples/plain", []string{"examples/proto/greeterpb", "registry", "registry/etcd", "resolver"}, "what a user of plain gRPC writes"},
	{"examples/wrapper/...", []string{"", "wrapper/breaker/gobreaker", "wrapper/endpoint", "wrapper/ratelimiter/uber", "wrapper/recovery", "wrapper/timeout"}, "what a user writes"},
	{"examples/web/...", []string{"", "client", "client/http", "web"}, "what a user writes"},
	{"examples/registry", []string{"registry"}, "what the writer of a backend writes"},
	{"examples/...", []string{""}, "what a user writes"},
}

// extra is what the tests of a room may import beyond what the room itself may and
// the test range.
var extra = map[string][]string{
	"internal/tracing":          {"debug/trace/memory"},
	"debug/log":                 {"debug/log/memory", "debug/log/noop"},
	"wrapper/select/...":        {"client/grpc", "registry/memory", "server", "server/grpc"},
	"client/selector/static":    {"client", "client/grpc", "registry/memory", "server", "server/grpc"},
	"wrapper/breaker/gobreaker": {"client/grpc", "registry/memory", "server", "server/grpc"},

	"broker":                 {"broker/memory"},
	"broker/brokertest":      {"broker/memory"},
	"broker/memory":          {"internal/defaults"},
	"broker/http":            {"registry/etcd", "registry/memory"},
	"registry/cache":         {"registry/etcd", "registry/memory"},
	"registry/registrytest":  {"registry/memory"},
	"registry":               {"internal/ability"},
	"store":                  {"store/memory"},
	"auth/provider/...":      {"auth/provider/basic"},
	"auth/token/basic":       {"store/memory"},
	"store/etcd":             {"registry/etcd", "registry/memory"},
	"sync/etcd":              {"registry/etcd", "registry/memory"},
	"registry/multi":         {"registry/etcd", "registry/memory"},
	"internal/pick":          {"internal/feed"},
	"client/selector":        {"registry/etcd", "registry/memory"},
	"client/grpc":            {"registry/memory", "transport"},
	"resolver":               {"registry/memory"},
	"internal/bridge":        {"registry/consul", "registry/etcd", "registry/memory"},
	"internal/operate":       {"registry/consul", "registry/etcd", "registry/memory"},
	"internal/doctor":        {"internal/credentials", "internal/reload"},
	"cmd/micro/...":          {"config", "config/source", "config/source/etcd", "registry/etcd", "server/grpc"},
	"internal/announce":      {"registry/memory"},
	"client/http":            {"registry/memory"},
	"web":                    {"registry/memory"},
	"server/grpc":            {"internal/ability", "registry/memory", "transport"},
	"internal/registryflags": {"registry/etcd"},
	"config/encoder/...":     {"config/encoder/hcl", "config/encoder/toml", "config/encoder/xml", "config/encoder/yaml"},
	"config/center":          {"config/source/etcd", "config/source", "config", "registry/etcd", "registry/memory"},
	"internal/keytree":       {"config/encoder/toml", "config/encoder/yaml"},
	"config/secret":          {"config", "config/source", "config/source/consul", "config/source/etcd", "config/source/file", "config/source/memory", "config/source/snapshot"},
	"config/source/etcd":     {"config", "registry/etcd", "registry/memory"},
	"config/source/...":      {"config/source/memory"},
	"config/loader/memory":   {"config/source/memory"},
	"config":                 {"config/source/env", "config/source/memory"},
	"internal/wiring":        {"client/grpc", "server/grpc"},
	"config/cmd":             {"auth/jwt", "auth/provider/oauth", "broker/memory", "store/memory", "client/grpc", "internal/credentials", "internal/etcd/layout", "internal/secure", "internal/settings", "registry/cache", "registry/consul", "registry/etcd", "registry/memory", "server/grpc", "debug/trace/memory"},
	"faults/...":             {"broker", "broker/http", "client/http", "web", "sync", "sync/etcd", "config", "config/center", "config/secret", "config/source", "config/source/etcd", "config/source/snapshot", "", "client", "client/grpc", "client/selector", "faults/history", "internal/ability", "internal/defaults", "internal/discovery", "internal/feed", "internal/mdns/txt", "internal/consul/tags", "internal/etcd/layout", "registry", "registry/cache", "registry/consul", "registry/etcd", "registry/memory", "server", "server/grpc"},
	"":                       {"auth/jwt", "broker/memory", "client/grpc", "config/source", "internal/defaults", "registry/cache", "registry/memory", "server/grpc", "debug/log", "debug/service/proto", "debug/service"},
	"compat/...":             {"debug/trace/memory", "compat/util/tls", "registry/memory", "store/memory"},
	"e2e/...":                {"client", "internal/gray", "client/grpc", "client/http", "registry/multi", "resolver", "server", "server/grpc"},
}

var dictionary = []string{"metadata", "errors", "codec", "codec/bytes", "codec/grpc", "codec/json", "codec/jsonrpc", "codec/proto", "codec/protorpc", "codec/text", "logger"}

// testRange is what every test may import.
var testRange = []string{"registry/registrytest", "store/storetest", "transport/transporttest", "sync/locktest", "broker/brokertest", "internal/testkit", "internal/testkit/fleet", "internal/testkit/stub", "internal/testkit/legacypb", "internal/testkit/currentpb", "internal/testkit/micropb/kinds", "internal/testkit/micropb/http", "internal/testkit/micropb/shared", "internal/testkit/micropb/store", "internal/testkit/talkpb"}

// TestArrowsPointDown holds the packages and their tests to the table, and the
// table to the packages: what it grants must be used.
func TestArrowsPointDown(t *testing.T) {
	used := map[string]map[string]bool{} // by room and grant
	for _, r := range rooms {
		used[r.pkg] = map[string]bool{}
	}
	// allowed tells whether one of the grants is for imp, and notes its use.
	allowed := func(room string, grants []string, imp string) bool {
		i := slices.IndexFunc(grants, func(m string) bool { return matches(m, imp) })
		if i >= 0 {
			used[room][grants[i]] = true
		}
		return i >= 0
	}
	for _, p := range list(t, "./...") {
		pkg := inside(p.ImportPath)
		i := slices.IndexFunc(rooms, func(r room) bool { return matches(r.pkg, pkg) })
		if i < 0 {
			t.Errorf("package %q has no room: add it to the table with what it may import and why", pkg)
			continue
		}
		r := rooms[i]
		for _, imp := range p.Imports {
			if !ours(imp) || slices.Contains(dictionary, inside(imp)) && !slices.Contains(dictionary, pkg) {
				continue
			}
			if !allowed(r.pkg, r.may, inside(imp)) {
				t.Errorf("%q imports %q, which its room forbids (%s)", pkg, inside(imp), r.reason)
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if !ours(imp) || inside(imp) == pkg || slices.Contains(dictionary, inside(imp)) || slices.Contains(testRange, inside(imp)) {
				continue
			}
			if !allowed(r.pkg, extra[r.pkg], inside(imp)) && !slices.ContainsFunc(r.may, func(m string) bool { return matches(m, inside(imp)) }) {
				t.Errorf("a test of %q imports %q: add it to extra, if a test there has to", pkg, inside(imp))
			}
		}
	}
	for _, r := range rooms {
		for _, m := range slices.Concat(r.may, extra[r.pkg]) {
			if !used[r.pkg][m] {
				t.Errorf("the table lets %q import %q, and nobody does: take it out", r.pkg, m)
			}
		}
	}
	for pkg := range extra {
		if used[pkg] == nil {
			t.Errorf("extra has %q, which is no room", pkg)
		}
	}
}

// inside returns the path of a package within the module, "" for its root.
func inside(imp string) string { return strings.TrimPrefix(strings.TrimPrefix(imp, module), "/") }

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

// TestLinks checks what lands in the binary of a program that imports a package.
func TestLinks(t *testing.T) {
	schemas := "github.com/santhosh-tekuri/"
	heavy := []string{schemas, "go.etcd.io/etcd/server/", "go.etcd.io/bbolt", "github.com/prometheus/", "go.opentelemetry.io/", module + "/internal/embedded"}
	for _, tc := range []struct {
		pkg    string
		never  []string
		reason string
	}{
		{".", heavy, "a service is not an etcd server and brings its own metrics"},
		{"./internal/testkit", heavy, "tests of the library link what the library links"},
		{"./registry/registrytest", []string{"google.golang.org/grpc"}, "the suite serves backends that do not speak grpc"},
		{"./config", []string{"google.golang.org/grpc", "go.etcd.io/", "github.com/hashicorp/", module + "/internal/consul", schemas}, "a source is linked by who imports it, and so is HCL"},
		{"./config/source/etcd", []string{schemas, "github.com/hashicorp/"}, "schemas are linked by who judges by them or publishes one"},
		{"./config/source/consul", []string{"google.golang.org/grpc", "go.etcd.io/", "github.com/hashicorp/", schemas}, "a program that is configured in Consul links no etcd"},
		{"./config/secret", []string{"google.golang.org/grpc", "go.etcd.io/", "github.com/hashicorp/", schemas}, "secrets stand in every source"},
		{"./resolver", append([]string{module + "/client", module + "/server", module + "/config", module + "/internal/conn", module + "/internal/rpc", module + "/internal/pick", "go.etcd.io/"}, heavy...), "a program that only wants discovery links nothing else"},
		{"./cmd/protoc-gen-micro", []string{"google.golang.org/grpc", module + "/client", module + "/server", module + "/registry", "go.etcd.io/"}, "a generator links no services"},
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

// resolverLinks is all of ours that a program of plain grpc-go links which imports the
// resolver.
var resolverLinks = []string{
	"debug/log", "internal/ability", "internal/backoff", "internal/defaults", "internal/discovery", "internal/disk", "internal/endpoint", "internal/feed",
	"internal/netaddr", "internal/record", "internal/refusal", "internal/ring", "logger", "registry", "resolver",
}

// TestResolverLinksNothingElse holds what the resolver links to the list, and the list
// to what it links.
func TestResolverLinksNothingElse(t *testing.T) {
	var linked []string
	for _, p := range list(t, "-deps", "./resolver") {
		if ours(p.ImportPath) {
			linked = append(linked, inside(p.ImportPath))
		}
	}
	slices.Sort(linked)
	if !slices.Equal(linked, resolverLinks) {
		t.Errorf("it links %q, want %q", linked, resolverLinks)
	}
}

type listed struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string

	Imports, TestImports, XTestImports []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Dir,GoFiles,Imports,TestImports,XTestImports"}, args...)...)
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
