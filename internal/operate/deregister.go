package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// ErrAlive is the error of Deregister for a node that seems to live: it would
// register again within seconds. It is wrapped with what shows that.
var ErrAlive = errors.New("it seems to be alive, and would register again; pause it to keep it out")

// ErrChanged is the error of Deregister for a node whose record was written
// meanwhile, by its process or by a new one.
var ErrChanged = errors.New("its record was written anew meanwhile: its process is alive")

// dialLimit is how long a node may take to accept a connection.
const dialLimit = time.Second

// Deregister takes a node out whose process is gone, as the process would have
// done it: its record says that it leaves, and then goes, so that every caller
// drops it at once. With force also a node that seems to live is taken out.
func (o *Operator) Deregister(ctx context.Context, n Node, force bool) error {
	doing := quoted("deregister", n.Service.Name, n.Id)
	if !force {
		if sign := o.alive(ctx, n); sign != "" {
			return fmt.Errorf("%s: %s: %w", doing, sign, ErrAlive)
		}
	}
	return o.conn.Do(ctx, doing, func(ctx context.Context, c *clientv3.Client) error {
		farewell := clientv3.OpPut(n.key, string(layout.MarkLeaving(n.value)), clientv3.WithIgnoreLease())
		said, err := c.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(n.key), "=", n.revision)).Then(farewell).Commit()
		if err != nil {
			return err
		}
		if !said.Succeeded {
			return ErrChanged
		}
		gone, err := c.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(n.key), "=", said.Header.Revision)).Then(clientv3.OpDelete(n.key)).Commit()
		if err == nil && !gone.Succeeded {
			return ErrChanged
		}
		return err
	})
}

// alive returns what shows that the node's process runs, "" if nothing does.
func (o *Operator) alive(ctx context.Context, n Node) string {
	if n.Lease != 0 {
		if l, err := o.lease(ctx, n.Lease); err == nil && l.Fresh() {
			return fmt.Sprintf("its lease was renewed lately (lease left: %s)", l)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.Address)
	if err != nil {
		return ""
	}
	_ = conn.Close() // nothing was sent over it
	return fmt.Sprintf("something answers at %s", n.Address)
}
