package doctor

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
)

// instance returns the node that an instance is, false if it is none of ours, and
// reports what is wrong with it.
func (r *report) instance(e consul.Entry) (node, bool) {
	n := node{service: e.Service.Service, id: e.Service.ID, agent: e.Node.Node}
	content, err := tags.Decode(e.Service.Tags)
	fix := fmt.Sprintf("find out who registered it; `consul services deregister -id=%s` at the agent %s removes it", Shell(e.Service.ID), Shell(e.Node.Node))
	if err != nil {
		r.problem("node.undecodable", n.name(), fix, "its tags are no record of a node, so every reader passes it over: %v", err)
		return n, false
	}
	n.id = cmp.Or(content.NodeID, n.id)
	n.address = cmp.Or(e.Service.Address, e.Node.Address)
	if e.Service.Port > 0 {
		n.address = net.JoinHostPort(n.address, strconv.Itoa(e.Service.Port))
	}
	if content.Skipped > 0 {
		r.warn("node.tags_unreadable", n.name(), fix, "%s cannot be read, and readers go without", number(content.Skipped, "tag"))
	}
	ours, checks := content.Version != "" || len(content.Node) > 0 || len(content.Endpoints) > 0, 0
	for _, c := range e.Checks {
		if c.ServiceID == e.Service.ID {
			checks++
		}
		r.check(n, c)
	}
	if ours && checks == 0 {
		r.warn("node.no_check", n.name(), "register it with a time to live (registry.RegisterTTL); "+fix, "it has no health check: it stays registered when its process is gone")
	}
	return n, ours
}

// check reports a check that hides a node from callers.
func (r *report) check(n node, c consul.Check) {
	switch said := strings.Join(strings.Fields(c.Output), " "); {
	case c.Status != consul.Critical:
	case c.Maintained() && c.ServiceID == "":
		r.warn("node.paused", n.name(), "`consul maint -disable` at the agent "+Shell(n.agent), "its agent %q is in maintenance mode (%s): callers do not find it", n.agent, c.Notes)
	case c.Maintained():
		r.warn("node.paused", n.name(), fmt.Sprintf("`micro node resume %s %s`", Shell(n.service), Shell(n.id)), "it is in maintenance mode (%s): callers do not find it", c.Notes)
	default:
		r.problem("node.check_critical", n.name(), fmt.Sprintf("see whether its process runs and reaches its agent %q; `micro node deregister %s %s` if it is gone", n.agent, Shell(n.service), Shell(n.id)),
			"its health check fails (%s): callers do not find it", said)
	}
}
