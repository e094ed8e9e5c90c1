package operate

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-go/micro/registry"
)

// unable is the Operator of a registry in which there is nothing to operate.
type unable struct {
	registry       registry.Registry
	pauses, leaves string
}

var _ Operator = (*unable)(nil)

// Unable returns an Operator for a registry that nodes can be read from, and no more.
// pauses and leaves say why there are no pauses, and why no other process can take a
// node out.
func Unable(r registry.Registry, pauses, leaves string) Operator { return &unable{r, pauses, leaves} }

// Nodes returns the nodes of a service that is there.
func (o *unable) Nodes(ctx context.Context, service string) ([]Node, error) {
	versions, err := o.registry.GetService(service, registry.GetContext(ctx))
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, err
	}
	var nodes []Node
	for _, s := range versions {
		for _, n := range s.Nodes {
			one := *s
			one.Nodes = []*registry.Node{n}
			nodes = append(nodes, Node{Service: &one, Node: n})
		}
	}
	return nodes, nil
}

// Standing is that nothing is known.
func (*unable) Standing(context.Context, []Node) map[string]Standing { return nil }

// Pauses is that there are none.
func (*unable) Pauses(context.Context, string) ([]Pause, error) { return nil, nil }

// Pause says why not.
func (o *unable) Pause(_ context.Context, service, node, _, _ string) error {
	return fmt.Errorf("%s: %s", quoted("pause", service, node), o.pauses)
}

// Resume says why not.
func (o *unable) Resume(_ context.Context, service, node string) error {
	return fmt.Errorf("%s: %s", quoted("resume", service, node), o.pauses)
}

// Deregister says why not.
func (o *unable) Deregister(_ context.Context, n Node, _ bool) error {
	return fmt.Errorf("%s: %s", quoted("deregister", n.Service.Name, n.Id), o.leaves)
}

// CannotPause returns why no node can be paused, "" if that is not known to be so.
func CannotPause(o Operator) string {
	if u, ok := o.(*unable); ok {
		return u.pauses
	}
	return ""
}
