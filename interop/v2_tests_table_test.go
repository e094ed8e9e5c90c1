package interop_test

// v2Tests are the packages of v2 whose tests run here.
var v2Tests = []v2Package{
	{old: ".", skip: map[string]string{"TestService": whyEndless, "TestFunction": whyEndless}},
	{old: "api"},
	{old: "auth/rules"},
	{old: "auth/token/basic"},
	{old: "auth/token/jwt", fail: map[string]string{"TestGenerate": whyKeyFiles, "TestInspect": whyKeyFiles}},
	{old: "broker", fail: map[string]string{"TestBroker": whyNotLinked, "TestConcurrentSubBroker": whyNotLinked, "TestConcurrentPubBroker": whyNotLinked}},
	{old: "broker/memory"},
	{old: "broker/nats", files: map[string]string{"nats_test.go": whyInternals}},
	{old: "client", files: map[string]string{"cache_test.go": whyInternals, "rpc_request_test.go": whyInternals, "rpc_client_test.go": whyMucp, "backoff_test.go": whyInternals}},
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
	{old: "util/addr", files: map[string]string{"addr_test.go": whyInternals}},
	{old: "util/ctx"},
	{old: "util/net", fail: map[string]string{"TestProxyEnv": "calls go to the services themselves, whatever MICRO_PROXY says"}},
	{old: "util/registry", files: map[string]string{"util_test.go": whyInternals}},
	{old: "util/ring"},
	{old: "util/wrapper", files: map[string]string{"wrapper_test.go": whyInternals}, fail: map[string]string{"TestStaticClientWrapper": "it links no server in; a program that imports micro, or server/grpc, does"}},
}

const (
	whyInternals = "it looks at what v2's package has inside; tests of ours hold the behaviour"
	whyMucp      = "it tests mucp, which is not here"
	whyKeyFiles  = "it reads keys from a directory of v2's"
	whyNotLinked = "the broker over HTTP is made by broker/http, which the test does not import; its own tests hold the same"
	whyEndless   = "it waits for the registration of a service with parts of the process, and does not end"
)
