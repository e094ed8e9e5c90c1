package interop_test

// v2Tests are the packages of v2 whose tests run here.
var v2Tests = []v2Package{
	{old: ".", skip: map[string]string{"TestFunction": "it asks for the health of a function and waits for its end: asking for health does not end one here"}},
	{old: "api"},
	{old: "api/handler/api", files: map[string]string{"util_test.go": whyInternals}},
	{old: "api/handler/http", files: map[string]string{"http_test.go": "it needs api/resolver, a part of the gateway, which is not here"}},
	{old: "api/handler/rpc", files: map[string]string{"rpc_test.go": whyInternals}},
	{old: "auth/rules"},
	{old: "auth/token/basic"},
	{old: "auth/token/jwt", fail: map[string]string{"TestGenerate": whyKeyFiles, "TestInspect": whyKeyFiles}},
	{old: "broker", link: "broker/http"},
	{old: "broker/memory"},
	{old: "broker/nats", files: map[string]string{"nats_test.go": whyInternals}},
	{old: "client", files: map[string]string{"cache_test.go": whyInternals, "rpc_request_test.go": whyInternals, "rpc_client_test.go": whyMucp}},
	{old: "client/grpc", files: map[string]string{"grpc_pool_test.go": whyInternals, "grpc_test.go": "it needs a module of grpc's examples", "request_test.go": whyInternals}},
	{old: "client/selector"},
	{old: "config"},
	{old: "config/reader"},
	{old: "config/reader/json"},
	{old: "config/source/cli"},
	{old: "config/source/env"},
	{old: "config/source/file"},
	{old: "config/source/flag"},
	{old: "debug/log/memory", files: map[string]string{"memory_test.go": whyInternals}},
	{old: "errors"},
	{old: "logger"},
	{old: "metadata"},
	{old: "registry", files: map[string]string{"mdns_test.go": whyInternals}},
	{old: "registry/memory", files: map[string]string{"memory_test.go": whyInternals, "watcher_test.go": whyInternals}},
	{old: "server", files: map[string]string{"extractor_test.go": whyInternals, "rpc_codec_test.go": whyMucp, "rpc_stream_test.go": whyMucp}},
	{old: "server/grpc", files: map[string]string{"extractor_test.go": whyInternals, "grpc_test.go": "it reads errors.Error from protobuf's registry, where it is not"}},
	{old: "service/grpc"},
	{old: "store/memory"},
	{old: "transport", files: map[string]string{"http_transport_test.go": whyInternals}},
	{old: "transport/grpc", skip: map[string]string{"TestGRPCTransportPortRange": "it wants two ports that another program may have; TestARangeOfPorts of internal/netaddr takes free ones"}},
	{old: "transport/http"},
	{old: "transport/memory"},
	{old: "util/addr", files: map[string]string{"addr_test.go": whyInternals}},
	{old: "util/ctx"},
	{old: "util/http"},
	{old: "util/net", fail: map[string]string{"TestProxyEnv": "calls go to the services themselves, whatever MICRO_PROXY says"}},
	{old: "util/registry", files: map[string]string{"util_test.go": whyInternals}},
	{old: "util/ring"},
	{old: "util/wrapper", files: map[string]string{"wrapper_test.go": whyInternals}, link: "."},
	{old: "web"},
}

const (
	whyInternals = "it looks at what v2's package has inside; tests of ours hold the behaviour"
	whyMucp      = "it tests mucp, which is not here"
	whyKeyFiles  = "it reads keys from a directory of v2's"
)
