package compare

// absent are the packages of v2 that stay out. The platform was what micro's own commands
// ran: services for services, of which each keeps running beside a fleet of both kinds.
var absent = []Path{
	{Old: "agent/...", Why: "a bot that takes commands in chat rooms; leave it on v2, from where it calls services of both kinds"},
	{Old: "api/internal/proto", Why: "messages of v2's own tests"},
	{Old: "api/resolver/...", Why: gateway},
	{Old: "api/router/...", Why: gateway},
	{Old: "api/server/...", Why: gateway},
	{Old: "api/service/proto", Why: gateway},
	{Old: "auth/service/...", Why: "the client of micro's auth service, a part of its platform; auth/jwt verifies tokens with keys and asks nobody"},
	{Old: "broker/service/...", Why: "the client of micro's broker service, a part of its platform; choose a broker of your own, as with --broker=nats"},
	{Old: "client/mucp", Why: mucp},
	{Old: "client/selector/router", Why: network},
	{Old: "client/service/proto", Why: "messages of v2's client as a service, which nothing in v2 served"},
	{Old: "config/secrets/...", Why: "values sealed with one key; config/secret seals for those who hold keys of their own, and `micro secret` seals anew"},
	{Old: "config/source/service/...", Why: "the client of micro's configuration service, a part of its platform; config/source/etcd reads etcd itself"},
	{Old: "debug/log/kubernetes", Why: "reads the lines of other pods from the API of Kubernetes with the pod's own token; what collects logs there does that, and `micro logs` asks the services themselves"},
	{Old: "network/...", Why: network},
	{Old: "plugin", Why: "code loaded from files built by the very same compiler; import the package, and choose it with --registry, --broker and their like"},
	{Old: "proxy/...", Why: "a gateway between networks, of micro's platform; services are called by name without one, and other programs call them with plain gRPC"},
	{Old: "registry/service/...", Why: "the client of micro's registry service, a part of its platform; choose the registry behind it, as with --registry=etcd"},
	{Old: "router/...", Why: network},
	{Old: "runtime/...", Why: "builds and runs programs, as micro's platform did; what runs containers or units runs services of this module"},
	{Old: "server/grpc/proto", Why: "messages of v2's own tests"},
	{Old: "server/mock", Why: "a server that serves nothing; in a test, server/grpc on 127.0.0.1:0 and registry/memory are as quick, and answer"},
	{Old: "server/mucp", Why: mucp},
	{Old: "server/proto", Why: "messages of v2's server as a service, which nothing in v2 called"},
	{Old: "service/grpc/proto", Why: "messages of v2's own tests"},
	{Old: "service/mucp", Why: mucp},
	{Old: "store/cache", Why: "a store in front of another one, which does not hear when that one changes; store/etcd answers within a millisecond or two"},
	{Old: "store/cockroach", Why: "records in a database of SQL; a program that has one implements store.Store over it, and store/storetest holds it to the contract"},
	{Old: "store/file", Why: "records in a file of bbolt, which a service would link for it; store/etcd outlives the process, and --store takes a store of the program's own"},
	{Old: "store/service/...", Why: "the client of micro's store service, a part of its platform; store/etcd keeps records itself"},
	{Old: "tunnel/...", Why: network},
	{Old: "util/auth", Why: "makes an account for the service at each start, as v2's config/cmd did; a service with an auth makes one when its first call needs a token, and Generate does it where a program wants it"},
	{Old: "util/backoff", Why: "one function; client.DefaultBackoff is it"},
	{Old: "util/buf", Why: "a bytes.Buffer with Close; io.NopCloser makes one"},
	{Old: "util/file/...", Why: "files over RPC, for micro's platform; copy them with what your hosts have"},
	{Old: "util/grpc", Why: "how v2 reads paths of gRPC; server.Request has service and endpoint, and codes come from errors"},
	{Old: "util/io", Why: "the connection of a tunnel as io.Reader; package io has what is left"},
	{Old: "util/jitter", Why: "one function; math/rand/v2.N gives a random duration"},
	{Old: "util/kubernetes/...", Why: "a client of Kubernetes for micro's runtime; take k8s.io/client-go"},
	{Old: "util/mdns", Why: "a library for multicast DNS, with which registry/mdns was made; the registry is here, libraries are github.com/hashicorp/mdns and github.com/grandcat/zeroconf"},
	{Old: "util/mux", Why: "a server and a proxy in one, for micro's platform"},
	{Old: "util/pki", Why: "certificates for tests; crypto/x509 makes them, and docs/TLS.md says what services want"},
	{Old: "transport/grpc/proto", Why: "the message and the service of transport/grpc, which writes them by hand: their names are taken in protobuf's registry where v2 is linked as well"},
	{Old: "transport/quic", Why: "over QUIC in values of gob, which nothing but v2 speaks; calls go over gRPC"},
	{Old: "util/pool", Why: "connections of mucp; a gRPC client has one for each node"},
	{Old: "util/proto", Why: "bytes as a protobuf message; codec/bytes.Frame passes them through unchanged"},
	{Old: "util/qson", Why: "queries of URLs as JSON, for the API gateway; it is the module github.com/joncalhoun/qson, copied"},
	{Old: "util/signal", Why: "a list of signals; signal.NotifyContext of os/signal takes them, and Run of a service obeys them"},
	{Old: "util/socket", Why: "streams of mucp within a connection; gRPC has streams of its own"},
	{Old: "util/stream", Why: "a stream between a proxy's two sides; gRPC has streams of its own"},
	{Old: "util/sync", Why: "a store that is written to another now and then; store/etcd keeps records where all see them"},
	{Old: "util/test", Why: "records for v2's own tests; registry/memory takes records with memory.Services"},
}

const (
	gateway = "a part of the API gateway; until one is here, v2's own stands in front of services of both kinds, with its own packages"
	mucp    = "v2's protocol before gRPC, over its own transports; services speak gRPC with both sides, so that v2's programs reach them with --client=grpc and serve them with --server=grpc"
	network = "routes between networks of micro's platform; nodes of one registry call one another, and registry/multi joins several"
)
