package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// ExamineFound looks at the nodes that were found in a registry which has nothing to
// be looked at beside them, such as multicast DNS, where each process answers for
// itself. err says why none was found, took how long the search was. It returns when
// ctx ends. The list is never empty.
func ExamineFound(ctx context.Context, where string, services []*registry.Service, took time.Duration, err error) []Finding {
	var r report
	if err != nil {
		r.problem("registry.unreadable", where, "see what is said of the network above, and give it more time with --timeout", "%v", err)
		return r
	}
	var nodes []node
	names := make(map[string]bool)
	for _, s := range services {
		for _, n := range s.Nodes {
			nodes = append(nodes, node{service: s.Name, id: n.Id, address: n.Address})
			names[s.Name] = true
		}
	}
	r.ok("registry.read", where, "%s of %s found; the search took %v", number(len(nodes), "node"), number(len(names), "service"), millis(took))
	for i, n := range nodes {
		if loopback(n.address) {
			nodes[i].standing = fmt.Sprintf("; where it is the node of another host, that host alone reaches it (--server_advertise of %s)", n.service)
		}
	}
	examineNodes(ctx, &r, nodes, false)
	return Brief(r)
}
