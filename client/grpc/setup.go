package grpc

import (
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// setup is a client's options with all that follows from them. It is not changed
// once made.
type setup struct {
	opts    client.Options
	network *network
	own     selector.Selector // written by the program, else nil
	picker  pick.Picker       // if own is nil
	codecs  rpc.Codecs
	options map[*rpc.Codec][]grpc.CallOption // of a call without options of its own
	perCall *callSettings                    // of a call without options of its own
	invoke  client.CallFunc                  // one attempt, within the client's wrappers
	bare    client.CallFunc                  // one attempt
}

// builtinSelector is the selector that a client need not ask.
type builtinSelector interface {
	Builtin() (given selector.Options, strategy string)
}

// newSetup returns the setup of the options. It takes over the network of the old
// one, which may be nil, if that serves as well.
func (c *grpcClient) newSetup(o client.Options, old *setup) *setup {
	o.CallOptions.CallWrappers = slices.Clip(o.CallOptions.CallWrappers)
	own, _ := settings.Of[clientSettings](o.Context)
	perCall := callSettingsOf(o.CallOptions.Context)
	s := &setup{opts: o, codecs: rpc.NewClientCodecs(own.codecs), perCall: perCall}

	p := plan{registry: o.Registry, tls: own.tls, dial: perCall.dial, dialTimeout: o.CallOptions.DialTimeout}
	if p.dialTimeout == defaults.DialTimeout {
		p.dialTimeout = 0 // nobody asked for it
	}
	if b, ok := o.Selector.(builtinSelector); ok {
		given, strategy := b.Builtin()
		s.picker.RoundRobin = strategy == "roundrobin"
		if strategy == "" {
			s.picker.Strategy = given.Strategy
		}
		if given.Registry != nil {
			p.registry = given.Registry
		}
	} else {
		s.own = o.Selector
	}
	if p.registry == nil {
		p.registry = registry.DefaultRegistry
	}
	p.snapshot, p.noSuspects, p.maxUnknown = p.registry.Options().Snapshot, own.noSuspects, own.maxUnknown
	if old != nil && old.network.equal(p) {
		s.network = old.network
	} else {
		s.network = newNetwork(p)
	}
	s.picker.State = s.network.state
	s.picker.Names = s.network.directory.Names
	s.picker.Registry = describe(p.registry)

	s.options = callOptions(s.codecs, own, perCall.call)
	s.bare = c.attempt(s)
	s.invoke = wrap(s.bare, o.CallOptions.CallWrappers)
	return s
}

// describe names the registry for errors.
func describe(r registry.Registry) string {
	addrs := r.Options().Addrs
	if len(addrs) == 0 {
		return r.String()
	}
	return r.String() + " (" + strings.Join(addrs, ",") + ")"
}

// callOptions returns what grpc is given with each call, for each codec.
func callOptions(codecs rpc.Codecs, own clientSettings, more []grpc.CallOption) map[*rpc.Codec][]grpc.CallOption {
	recv, send := own.maxRecv, own.maxSend
	if recv <= 0 {
		recv = DefaultMaxRecvMsgSize
	}
	if send <= 0 {
		send = DefaultMaxSendMsgSize
	}
	all := make(map[*rpc.Codec][]grpc.CallOption, len(codecs))
	for _, codec := range codecs {
		opts := []grpc.CallOption{grpc.ForceCodecV2(codec), grpc.MaxCallRecvMsgSize(recv), grpc.MaxCallSendMsgSize(send)}
		all[codec] = slices.Clip(append(opts, more...))
	}
	return all
}

// wrap surrounds f with the wrappers, the first outermost.
func wrap(f client.CallFunc, wrappers []client.CallWrapper) client.CallFunc {
	for _, w := range slices.Backward(wrappers) {
		f = w(f)
	}
	return f
}
