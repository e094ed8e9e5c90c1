package grpc

import (
	"slices"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/calling"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/settings"
)

// state is a client's options with all that follows from them. It is not changed
// once made.
type state struct {
	opts      client.Options
	backends  *backends
	publisher *publisher
	custom    selector.Selector // written by the program, else nil
	picker    pick.Picker       // if custom is nil
	codecs    rpc.Codecs
	options   map[*rpc.Codec][]grpc.CallOption // of a call without options of its own
	perCall   *callSettings                    // of a call without options of its own
	invoke    client.CallFunc                  // one attempt, within the client's wrappers
	unwrapped client.CallFunc                  // one attempt
}

// newState returns the state of the options. It takes over the backends of the old
// one, which may be nil, if they serve as well.
func (c *grpcClient) newState(o client.Options, old *state) *state {
	o.CallOptions.CallWrappers = slices.Clip(o.CallOptions.CallWrappers)
	own, _ := settings.Of[clientSettings](o.Context)
	perCall := callSettingsOf(o.CallOptions.Context)
	c.services.percent.Store(int64(o.RetryBudget))
	s := &state{opts: o, codecs: rpc.NewClientCodecs(own.codecs), perCall: perCall}

	if old != nil {
		s.publisher = newPublisher(o.Broker, old.publisher)
	} else {
		s.publisher = newPublisher(o.Broker, nil)
	}
	p := backendsConfig{
		noSuspects: own.noSuspects, maxUnknown: own.maxUnknown, events: own.events, tls: security(o), dial: perCall.dial, more: own.transports,
		maxHeaderListSize: own.maxHeaderListSize, poolSize: o.PoolSize, maxStreams: own.maxStreams,
	}
	if p.maxStreams <= 0 {
		p.maxStreams = DefaultPoolMaxStreams
	}
	if client.Given(o.CallOptions, client.SettingDialTimeout) {
		p.dialTimeout = o.CallOptions.DialTimeout
	}
	chosen := calling.SelectionOf(o)
	p.registry, p.policy = chosen.Registry, chosen.Policy
	s.custom, s.picker.Balancer, s.picker.Strategy = chosen.Custom, chosen.Balancer, chosen.Strategy
	p.snapshot = p.registry.Options().Snapshot
	if old != nil && old.backends.equal(p) {
		s.backends = old.backends
	} else {
		s.backends = newBackends(p, &c.services)
	}
	s.picker.Targets, s.picker.Connect = s.backends.targets, s.backends.connect
	s.picker.Rules = &s.backends.rules
	s.picker.Names = s.backends.directory.Names
	s.picker.Registry = func() string { return calling.Describe(p.registry) }

	s.options = callOptions(s.codecs, own, perCall)
	s.unwrapped = c.attempt(s)
	s.invoke = wrap(s.unwrapped, o.CallOptions.CallWrappers)
	return s
}

// grpcMaxRecvMsgSize is grpc's own limit for what is received.
const grpcMaxRecvMsgSize = 4 << 20

// callOptions returns what grpc is given with each call, for each codec. Each option
// costs every call an allocation, so that one which says what grpc does anyway is
// left out, unless options for all connections may say otherwise.
func callOptions(codecs rpc.Codecs, own clientSettings, perCall *callSettings) map[*rpc.Codec][]grpc.CallOption {
	recv, send := own.maxRecv, own.maxSend
	if recv <= 0 {
		recv = DefaultMaxRecvMsgSize
	}
	if send <= 0 {
		send = DefaultMaxSendMsgSize
	}
	all := make(map[*rpc.Codec][]grpc.CallOption, len(codecs))
	for _, codec := range codecs {
		opts := []grpc.CallOption{grpc.ForceCodecV2(codec), grpc.MaxCallSendMsgSize(send)}
		if recv != grpcMaxRecvMsgSize || len(perCall.dial) > 0 {
			opts = append(opts, grpc.MaxCallRecvMsgSize(recv))
		}
		all[codec] = slices.Clip(append(opts, perCall.call...))
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
