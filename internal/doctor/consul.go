package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/refusal"
)

const (
	// clockLimit is how far two clocks may be apart. What Consul measures, it measures by
	// one clock; the times in its log and in ours are hard to compare beyond that.
	clockLimit = 10 * time.Second
	// oldestConsul is the oldest release that the framework is tested with.
	oldestConsul = "1.12"
)

// ExamineConsul looks at the agents of Consul that cfg names and at what is registered.
// It returns when ctx ends, and within cfg.Timeout. The list is never empty.
func ExamineConsul(ctx context.Context, cfg consul.Config) []Finding {
	cfg.Timeout = cmp.Or(cfg.Timeout, defaults.RegistryTimeout)
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	var r report
	whole := consul.Open(cfg)
	defer whole.Close()
	if err := whole.Err(); err != nil {
		r.problem("address.malformed", "registry address", "give host:port or a URL in --registry_address, or correct the variables CONSUL_*", "%v", err)
		return r
	}
	addrs := cfg.Addrs
	if len(addrs) == 0 {
		addrs = []string{whole.Addr()} // by default, or by a variable
	}
	asked := slices.Clone(addrs)
	slices.Sort(asked)
	var first *consul.Client
	remote := false
	for _, addr := range slices.Compact(asked) {
		one := cfg
		one.Addrs, one.Timeout = []string{addr}, cfg.Timeout/3
		client := consul.Open(one)
		defer client.Close()
		if examineAgent(ctx, &r, client, addr, one.Timeout) {
			first = cmp.Or(first, client)
			remote = remote || !loopback(hostPortOf(addr))
		}
	}
	if first == nil {
		return Brief(r)
	}
	examineLeader(ctx, &r, first)
	if examineToken(ctx, &r, first, remote) {
		examineInstances(ctx, &r, first, remote)
	}
	return Brief(r)
}

// hostPortOf returns host and port of an address that may be a URL.
func hostPortOf(addr string) string {
	if u, err := url.Parse(addr); err == nil && u.Host != "" {
		return u.Host
	}
	return addr
}

// examineAgent reports whether an agent answers.
func examineAgent(ctx context.Context, r *report, c *consul.Client, addr string, limit time.Duration) bool {
	begun := time.Now()
	self, err := c.Self(ctx)
	switch {
	case err == nil:
	case consul.Forbidden(err):
		r.ok("consul.answers", addr, "the agent answers in %v; what it is may not be read with this token (agent:read)", millis(time.Since(begun)))
		return true
	default:
		r.agentFailed(addr, limit, err)
		return false
	}
	took := time.Since(begun)
	kind := "client"
	if self.Server {
		kind = "server"
	}
	r.ok("consul.answers", addr, "Consul %s, %s %q of datacenter %q, answers in %v", self.Version, kind, self.Node, self.Datacenter, millis(took))
	if older(self.Version, oldestConsul) {
		r.warn("version.untested", addr, "upgrade to "+oldestConsul+" or later", "Consul %s is older than what the framework is tested with", self.Version)
	}
	if apart := time.Since(self.At) - took/2; !self.At.IsZero() && max(apart, -apart) > clockLimit {
		r.warn("clock.differs", addr, "set both clocks by NTP", "its clock and the one of this host are %v apart", max(apart, -apart).Round(time.Second))
	}
	return true
}

// agentFailed reports why an agent does not answer.
func (r *report) agentFailed(addr string, limit time.Duration, err error) {
	var name *net.DNSError
	switch {
	case refusal.Of(err) == refusal.Login:
		r.problem("auth.refused", addr, "give a token that it knows with --registry_token_file, or CONSUL_HTTP_TOKEN", "%v", err)
	case errors.As(err, &name):
		r.problem("consul.unresolvable", addr, "correct the name in --registry_address, or the name service of this host", "%v", name)
	case errors.Is(err, syscall.ECONNREFUSED):
		r.problem("consul.refused", addr, "name an agent of Consul with --registry_address, or start one there: `consul agent`", "nothing listens there: connection refused")
	case timedOut(err):
		r.problem("consul.no_answer", addr, "look for a firewall or a wrong address, and at the agent's process and log: it is stopped or overloaded", "no answer within %v", limit.Round(time.Millisecond))
	case refusal.Of(err) == refusal.Mismatch:
		r.problem("tls.failed", addr, "write https:// before the address where TLS is spoken, give its authority's certificate with --registry_tls_ca, and its name with --registry_tls_server_name", "%v", err)
	default:
		r.problem("consul.error", addr, "see whether it is an agent of Consul that listens there: `consul members -http-addr="+Shell(addr)+"`", "%v", err)
	}
}

// older reports whether a release is older than another one, as far as it can be read.
func older(version, than string) bool {
	var major, minor, m, n int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	_, _ = fmt.Sscanf(than, "%d.%d", &m, &n) // ours
	return major < m || major == m && minor < n
}

// examineLeader asks for the leader of the servers.
func examineLeader(ctx context.Context, r *report, c *consul.Client) {
	const fix = "start the servers that are down, until more than half of all run and reach each other: `consul operator raft list-peers`"
	switch leader, err := c.Leader(ctx); {
	case err != nil:
		r.warn("cluster.unknown", c.Addr(), fix, "its leader cannot be asked for: %v", err)
	case leader == "":
		r.problem("cluster.no_leader", c.Addr(), fix, "its servers have no leader: what is registered there is not told to others")
	default:
		r.ok("cluster.leader", leader, "it is the leader of the servers")
	}
}

// examineToken asks what the token allows, and reports whether there is use in reading
// what is registered.
func examineToken(ctx context.Context, r *report, c *consul.Client, remote bool) bool {
	const anyName = "any-name" // stands for the services that nobody has given a rule of their own
	rights := []consul.Right{
		{Resource: "service", Access: "read", Segment: anyName},
		{Resource: "node", Access: "read", Segment: anyName},
		{Resource: "service", Access: "write", Segment: anyName},
	}
	allowed, known, err := c.Allowed(ctx, rights)
	switch {
	case err != nil && refusal.Of(err) == refusal.Login:
		r.problem("auth.refused", c.Addr(), "give a token that it knows with --registry_token_file, or CONSUL_HTTP_TOKEN", "%v", err)
		return false
	case err != nil:
		r.warn("auth.rights_unknown", c.Addr(), "see `consul acl token read -self`", "what the token allows cannot be told: %v", err)
		return true
	case !known && remote:
		r.warn("auth.off", c.Addr(), "turn ACLs on (acl.enabled, acl.default_policy = \"deny\")", "Consul checks no tokens: whoever reaches it can change what is registered")
		return true
	case !known:
		r.ok("auth.off", c.Addr(), "Consul checks no tokens, and is asked on its own host")
		return true
	}
	grant := "add %s to a policy of the token: `consul acl policy update`"
	if !allowed[0] || !allowed[1] {
		r.warn("auth.no_read", "token", fmt.Sprintf(grant, `service_prefix "" { policy = "read" } and node_prefix "" { policy = "read" }`),
			"it may not read every service and node: Consul leaves those out of its answers without a word")
	}
	if !allowed[2] {
		r.warn("auth.no_write", "token", "nothing if services have tokens of their own; else "+fmt.Sprintf(grant, `service_prefix "" { policy = "write" }`),
			"a service of any name that shows it cannot register")
	}
	if !slices.Contains(allowed, false) {
		r.ok("auth.rights", "token", "it may read all services and nodes, and register any")
	}
	return true
}

// examineInstances reads what is registered with all agents.
func examineInstances(ctx context.Context, r *report, c *consul.Client, remote bool) {
	begun := time.Now()
	names, _, err := c.Services(ctx, consul.Query{})
	if err != nil {
		r.instancesFailed(c, err)
		return
	}
	var all []string
	for name := range names {
		if name != "consul" { // its own servers
			all = append(all, name)
		}
	}
	slices.Sort(all)
	entries, errs := make([][]consul.Entry, len(all)), make([]error, len(all))
	inParallel(leasesAtOnce, len(all), func(i int) {
		if errs[i] = context.Cause(ctx); errs[i] == nil {
			entries[i], _, errs[i] = c.Service(ctx, all[i], consul.Query{})
		}
	})
	var nodes []node
	services, failed := 0, 0
	for i := range all {
		if errs[i] != nil {
			failed, err = failed+1, errs[i]
			continue
		}
		before := len(nodes)
		for _, e := range entries[i] {
			if n, ok := r.instance(e); ok {
				nodes = append(nodes, n)
			}
		}
		if len(nodes) > before {
			services++
		}
		duplicateInstances(r, nodes[before:])
	}
	if failed > 0 {
		r.warn("registry.unchecked", fmt.Sprintf("%d of %s", failed, number(len(all), "service")), "give it more time with --timeout, and see the agent's log", "they could not be looked at: %v", err)
	}
	r.ok("registry.read", c.Addr(), "%s of %s registered; reading them took %v", number(len(nodes), "node"), number(services, "service"), millis(time.Since(begun)))
	examineNodes(ctx, r, nodes, remote)
}

func (r *report) instancesFailed(c *consul.Client, err error) {
	if consul.Forbidden(err) {
		r.problem("registry.denied", c.Addr(), `add service_prefix "" { policy = "read" } to a policy of the token: `+"`consul acl policy update`", "what is registered may not be read: %v", err)
		return
	}
	r.problem("registry.unreadable", c.Addr(), "give it more time with --timeout, and see the agent's log", "%v", err)
}

// duplicateInstances reports nodes of one service that two agents have.
func duplicateInstances(r *report, nodes []node) {
	agents := make(map[string][]string)
	for _, n := range nodes {
		agents[n.id] = append(agents[n.id], n.agent)
	}
	for _, n := range nodes {
		if of := agents[n.id]; len(of) > 1 {
			r.warn("node.duplicate_instance", n.name(), "leave --server_id out, or give each node its own; if it has moved, `consul services deregister -id="+Shell(n.id)+"` at the agent that it left",
				"the agents %s have a node with that id each: callers find one of them", strings.Join(of, ", "))
			agents[n.id] = nil // said
		}
	}
}
