package conn

import (
	"encoding/json"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// policyName is the name under which grpc finds the policy.
const policyName = "rollcall_node"

// serviceConfig chooses the policy. It holds no retry policy: what may be tried
// again is decided above.
const serviceConfig = `{"loadBalancingConfig":[{"` + policyName + `":{}}]}`

// grpc reads its table of policies without a lock whenever any connection of the
// process is set up, so a policy can be entered only before the program runs.
// The name is ours alone; nothing is replaced and nothing started.
func init() { balancer.Register(builder{}) }

// builder makes policies: pick_first, watched.
type builder struct{}

var (
	_ balancer.Builder      = builder{}
	_ balancer.ConfigParser = builder{}
)

func (builder) Name() string { return policyName }

func (builder) ParseConfig(json.RawMessage) (serviceconfig.LoadBalancingConfig, error) {
	return struct {
		serviceconfig.LoadBalancingConfig
	}{}, nil
}

func (builder) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	w := &watched{ClientConn: cc}
	return &policy{Balancer: balancer.Get(pickfirst.Name).Build(w, opts), watched: w}
}

// policy is pick_first, which it learns on whose behalf it works.
type policy struct {
	balancer.Balancer
	watched *watched
}

func (p *policy) UpdateClientConnState(s balancer.ClientConnState) error {
	if p.watched.wire == nil {
		p.watched.wire, _ = s.ResolverState.Attributes.Value(wireKey{}).(*wire)
	}
	s.BalancerConfig = nil // it is ours; pick_first has none
	return p.Balancer.UpdateClientConnState(s)
}

// watched stands between pick_first and grpc and sees each state go by.
type watched struct {
	balancer.ClientConn
	wire *wire // set before pick_first is first told of an address
}

func (w *watched) UpdateState(s balancer.State) {
	if w.wire != nil {
		if s.ConnectivityState == connectivity.TransientFailure {
			s.Picker = &failing{child: s.Picker, address: w.wire.conn.endpoint.Host}
		}
		w.wire.observe(s)
	}
	w.ClientConn.UpdateState(s)
}

// failing is the picker while no connection can be made. Its error tells the
// caller for certain that nothing was written.
type failing struct {
	child   balancer.Picker
	address string
}

func (f *failing) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	r, err := f.child.Pick(info)
	if err == nil || err == balancer.ErrNoSubConnAvailable || waits(info.Ctx) {
		return r, err
	}
	return r, &endpoint.ConnectError{Address: f.address, Err: err}
}

// wireKey finds the wire among a resolver's attributes.
type wireKey struct{}

// scheme is that of the targets of nodes.
const scheme = "rollcall-node"

// resolve is the resolver of one wire: it knows the address from the start.
type resolve struct{ wire *wire }

var _ resolver.Builder = resolve{}

func (r resolve) Scheme() string { return scheme }

func (r resolve) Build(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	err := cc.UpdateState(resolver.State{
		Endpoints:  []resolver.Endpoint{{Addresses: []resolver.Address{{Addr: r.wire.conn.endpoint.Host}}}},
		Attributes: attributes.New(wireKey{}, r.wire),
	})
	return still{}, err
}

// still is a resolver whose answer never changes.
type still struct{}

func (still) ResolveNow(resolver.ResolveNowOptions) {}
func (still) Close()                                {}
