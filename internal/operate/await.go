package operate

import (
	"context"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// Await returns nil as soon as the node is registered, or is not. Until then it
// waits, also for an etcd that is away; when ctx is done it returns its cause.
func (o *Operator) Await(ctx context.Context, service, node string, registered bool) error {
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	key := &presence{key: o.layout.Node(service, node), want: registered, seen: cancel}
	if err := mirror.Follow(following, o.conn, mirror.Key(key.key), key); err != nil {
		return o.conn.Explain(quoted("wait for", service, node), err)
	}
	if key.is {
		return nil
	}
	return context.Cause(ctx)
}

// presence observes one key. The mirror alone uses it until it has ended.
type presence struct {
	key  string
	want bool
	seen func()
	is   bool // as wanted
}

var _ mirror.Observer = (*presence)(nil)

// Change looks whether the key is there now.
func (p *presence) Change(c mirror.Change) {
	there := false // as it is when the first listing finds nothing
	for _, e := range c.Events {
		there = !e.Deleted
	}
	if (c.First || len(c.Events) > 0) && there == p.want {
		p.is = true
		p.seen()
	}
}

// Status is of no interest: the mirror goes on by itself.
func (p *presence) Status(mirror.Status) {}
