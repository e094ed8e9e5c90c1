package operate

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
)

// inEtcd works over a connection, which stays its maker's.
type inEtcd struct {
	conn   *etcd.Conn
	layout layout.Layout
}

var _ Operator = (*inEtcd)(nil)

// Etcd returns an Operator over conn, for what stands there in the layout.
func Etcd(conn *etcd.Conn, l layout.Layout) Operator { return &inEtcd{conn, l} }

// place is where a node stands in etcd.
type place struct {
	key      string
	value    []byte
	revision int64
	lease    int64 // 0 if none: the record then stays when its process is gone
}

// Nodes returns the registered nodes in the order of their keys.
func (o *inEtcd) Nodes(ctx context.Context, service string) ([]Node, error) {
	answer, err := o.list(ctx, fmt.Sprintf("list the nodes of %q", service), o.layout.Service(service))
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, kv := range answer.Kvs {
		s, err := o.layout.Decode(string(kv.Key), kv.Value)
		if err != nil || s.Name != service {
			continue
		}
		_, ours := s.Nodes[0].Metadata[record.Mark]
		nodes = append(nodes, Node{Service: s, Node: s.Nodes[0], Deaf: !ours, at: place{string(kv.Key), kv.Value, kv.ModRevision, kv.Lease}})
	}
	return nodes, nil
}

// list reads the keys below prefix.
func (o *inEtcd) list(ctx context.Context, doing, prefix string) (answer *clientv3.GetResponse, err error) {
	err = o.conn.Do(ctx, doing, func(ctx context.Context, c *clientv3.Client) error {
		answer, err = c.Get(ctx, prefix, clientv3.WithPrefix())
		return err
	})
	return answer, err
}
