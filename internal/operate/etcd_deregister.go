package operate

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Deregister does what the node's process would have done: its record says that it
// leaves, and then goes.
func (o *inEtcd) Deregister(ctx context.Context, n Node, force bool) error {
	at, doing := n.at.(place), quoted("deregister", n.Service.Name, n.Id)
	if !force {
		if sign := o.alive(ctx, n); sign != "" {
			return fmt.Errorf("%s: %s: %w", doing, sign, ErrAlive)
		}
	}
	return o.conn.Do(ctx, doing, func(ctx context.Context, c *clientv3.Client) error {
		farewell := clientv3.OpPut(at.key, string(layout.MarkLeaving(at.value)), clientv3.WithIgnoreLease())
		said, err := c.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(at.key), "=", at.revision)).Then(farewell).Commit()
		if err != nil {
			return err
		}
		if !said.Succeeded {
			return ErrChanged
		}
		gone, err := c.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(at.key), "=", said.Header.Revision)).Then(clientv3.OpDelete(at.key)).Commit()
		if err == nil && !gone.Succeeded {
			return ErrChanged
		}
		return err
	})
}

// alive returns what shows that the node's process runs, "" if nothing does.
func (o *inEtcd) alive(ctx context.Context, n Node) string {
	if lease := n.at.(place).lease; lease != 0 {
		if l, err := o.lease(ctx, lease); err == nil && l.Fresh() {
			return fmt.Sprintf("its lease was renewed lately (lease left: %s)", l)
		}
	}
	return answers(ctx, n)
}
