package operate

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// Await returns nil as soon as callers find the node in the registry, or do not. Until
// then it waits, also for a registry that is away; when ctx is done it returns its
// cause.
func Await(ctx context.Context, r registry.Registry, service, node string, found bool) error {
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &presence{node: node, want: found, seen: cancel}
	if err := feed.Of(r).Follow(following, service, p); err != nil {
		return fmt.Errorf("%s: %w", quoted("wait for", service, node), err)
	}
	if p.is {
		return nil
	}
	return context.Cause(ctx)
}

// presence looks for one node. The source alone uses it until it has ended.
type presence struct {
	node string
	want bool
	seen func()
	is   bool // as wanted
}

var _ feed.Sink = (*presence)(nil)

// Update looks whether the node is there now.
func (p *presence) Update(u feed.Update) {
	there := false
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			there = there || n.Id == p.node
		}
	}
	if there == p.want {
		p.is = true
		p.seen()
	}
}

// Status is of no interest: the source goes on by itself.
func (p *presence) Status(feed.Status) {}
