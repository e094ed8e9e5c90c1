package compare

import "path"

// Reason accounts for an identifier that is not equal: by Why it differs or is
// left out on purpose, or by By, which will bring it.
type Reason struct {
	// Name is that of the row. As in path.Match, * stands for anything but a slash.
	Name string
	Why  string
	By   string
}

func (r Reason) covers(name string) bool {
	// The only possible failure is a pattern of ours that is none; it covers nothing.
	ok, _ := path.Match(r.Name, name)
	return ok
}

// Reasons is the table.
var Reasons = []Reason{
	{Name: "micro.HeaderPrefix", Why: "a constant: the names of headers are the wire, and nobody could change them for one side alone"},

	{Name: "micro.Runtime", Why: runtimeReason},
	{Name: "micro.Options.Runtime", Why: runtimeReason},
	{Name: "config/cmd.*Runtime*", Why: runtimeReason},

	{Name: "api/handler.*", Why: gatewayReason},
	{Name: "api/handler/*.NewHandler", Why: gatewayReason},
	{Name: "api/handler/*.WithService", Why: gatewayReason},
	{Name: "api/proto.*.Get", Why: generatedReason},
	{Name: "api/proto.*.Header", Why: generatedReason},
	{Name: "api/proto.*.Post", Why: generatedReason},
	{Name: "api/proto.*.XXX_*", Why: generatedReason},
	{Name: "util/ring.Buffer.RWMutex", Why: lockReason},
	{Name: "util/ring.Buffer.*[Ll]ock*", Why: lockReason},

	{Name: "config/cmd.DefaultConfigs", Why: configsReason},
	{Name: "config/cmd.Options.Configs", Why: configsReason},

	{Name: "server.DefaultRouter", Why: routerReason},
	{Name: "server.NewRouter", Why: routerReason},
	{Name: "codec/protorpc.*.Descriptor", Why: envelopeReason},
	{Name: "codec/protorpc.*.XXX_*", Why: envelopeReason},

	{Name: "debug/service.NewClient", Why: "returns a type that nobody can name; debug/service/proto.NewDebugService asks the same"},
	{Name: "debug/service/handler.Debug.DebugHandler", Why: "an interface that v2 embeds and leaves nil; the methods are those of Debug itself"},
	{Name: "debug/service/proto.*.XXX_*", Why: generatedReason},
	{Name: "debug/service/proto.*.Metadata", Why: generatedReason},
	{Name: "debug/service/proto.*.Values", Why: generatedReason},
	{Name: "debug/service/proto.Span.Type", Why: generatedReason},
	{Name: "debug/service/proto.*DebugClient*", Why: plainReason},
	{Name: "debug/service/proto.*DebugServer*", Why: plainReason},
	{Name: "debug/service/proto.Debug_LogClient*", Why: plainReason},
	{Name: "debug/service/proto.Debug_LogServer*", Why: plainReason},

	{Name: "errors.Error.Descriptor", Why: messageReason},
	{Name: "errors.Error.XXX_*", Why: messageReason},

	{Name: "logger.Helper.Fields", Why: helperReason},
	{Name: "logger.Helper.Log", Why: helperReason},
	{Name: "logger.Helper.Logf", Why: helperReason},

	{Name: "registry/memory.Registry.RWMutex", Why: lockReason},
	{Name: "registry/memory.Registry.*[Ll]ock*", Why: lockReason},
}

const (
	runtimeReason   = "micro's runtime builds and runs other programs, from within a service: what runs containers or units does so now, and --runtime is told to have no effect"
	gatewayReason   = "a part of the API gateway, which is not here; v2's own stands in front of services of both kinds. Here are the names that services give their endpoints"
	generatedReason = "what an older generator wrote; the messages are those of today's"
	plainReason     = "code for plain gRPC, which a program generates itself from debug.proto, with protoc-gen-go-grpc"
	configsReason   = "nothing in v2 reads it: --config knows one value, which is a service that is not here"
	routerReason    = "the router of the mucp server, of a type that nobody can name; server.WithRouter takes a Router of the program's own"
	envelopeReason  = "the envelopes are encoded by hand and stay out of protobuf's global registry, where v2's own would collide with them"
	messageReason   = "the error is encoded by hand and stays out of protobuf's global registry, where v2's own would collide with it"
	helperReason    = "methods of the pointer, which is what NewHelper has always returned: a Helper has fields of its own, which do not leak into the logger"
	lockReason      = "v2 embeds its lock, so that any program can take it; it is no part of the API"
)
