// Package operate is what an operator does to the nodes of services in etcd: see
// them with what is left of their leases, keep one out, let it back in, and take
// one out whose process is gone. It is for the command and for consoles; services
// do not link it.
package operate

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Operator works over a connection, which stays its maker's. Its methods may be
// called from several goroutines, end with their context, and return errors that
// name the etcd. Where etcd refuses it for lack of rights the error is an
// fs.ErrPermission.
type Operator struct {
	conn   *etcd.Conn
	layout layout.Layout
}

// New returns an Operator over conn, for what stands there in the layout.
func New(conn *etcd.Conn, l layout.Layout) *Operator { return &Operator{conn, l} }

// list reads the keys below prefix.
func (o *Operator) list(ctx context.Context, doing, prefix string) (answer *clientv3.GetResponse, err error) {
	err = o.conn.Do(ctx, doing, func(ctx context.Context, c *clientv3.Client) error {
		answer, err = c.Get(ctx, prefix, clientv3.WithPrefix())
		return err
	})
	return answer, err
}

// quoted names the node of a service in what is being done.
func quoted(doing, service, node string) string {
	return fmt.Sprintf("%s node %q of %q", doing, node, service)
}
