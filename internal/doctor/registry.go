package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/registry"
)

// node is one registered node whose record can be read.
type node struct {
	key     string
	lease   int64 // 0 is none
	service string
	id      string
	address string
}

// name is how findings call a node.
func (n node) name() string { return n.service + "/" + n.id }

// examineRegistry reads what is registered, from the etcd of best. remote says
// that etcd is on another host than we are.
func examineRegistry(ctx context.Context, best *visit, remote bool) []Finding {
	var r report
	begun := time.Now()
	kvs, err := best.list(ctx, layout.Layout{}.Services())
	if err != nil {
		r.unreadable(best, layout.Layout{}.Services(), err)
		return r
	}
	took := time.Since(begun)
	nodes := decode(&r, kvs)
	services := make(map[string]bool)
	for _, n := range nodes {
		services[n.service] = true
	}
	r.ok("registry.read", best.addr, "%s of %s registered; the listing took %v", number(len(nodes), "node"), number(len(services), "service"), millis(took))
	leases := examineLeases(ctx, &r, best, nodes)
	examineAddresses(ctx, &r, nodes, leases, remote)
	examineDuplicates(&r, nodes)
	examinePauses(ctx, &r, best, kvs)
	return r
}

// list reads all keys with a prefix. Without a leader it has to do with what that
// one member knows.
func (v *visit) list(ctx context.Context, prefix string) ([]*mvccpb.KeyValue, error) {
	options := []clientv3.OpOption{clientv3.WithPrefix()}
	if v.status.Leader == 0 {
		options = append(options, clientv3.WithSerializable())
	}
	answer, err := v.client.Get(v.as(ctx), prefix, options...)
	if err != nil {
		return nil, err
	}
	return answer.Kvs, nil
}

// unreadable reports a prefix that cannot be listed.
func (r *report) unreadable(v *visit, prefix string, err error) {
	switch {
	case errors.Is(err, rpctypes.ErrUserEmpty):
		r.needsUser(v.addr)
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		// The rights were examined already; with a certificate in place of a user
		// they could not be.
		r.problem("registry.denied", prefix, "`etcdctl role grant-permission --prefix ROLE readwrite "+prefix+"`", "what is there may not be read")
	default:
		r.problem("registry.unreadable", prefix, "give it more time with --timeout, and see the etcd's log", "%v", v.conn.Explain("list what is registered", err))
	}
}

// decode returns the nodes and reports records that are none.
func decode(r *report, kvs []*mvccpb.KeyValue) []node {
	var nodes []node
	for _, kv := range kvs {
		key := string(kv.Key)
		s, err := layout.Layout{}.Decode(key, kv.Value)
		if err == nil {
			n := s.Nodes[0]
			nodes = append(nodes, node{key: key, lease: kv.Lease, service: s.Name, id: n.Id, address: n.Address})
			continue
		}
		if errors.Is(err, layout.ErrLeaving) {
			continue
		}
		fix := fmt.Sprintf("find out who wrote it; `etcdctl del %s` removes it", Shell(key))
		if json.Unmarshal(kv.Value, new(registry.Service)) == nil {
			r.problem("node.key_mismatch", key, fix, "it is not the key of what its value names, so every reader passes it over: %v", err)
			continue
		}
		r.problem("node.undecodable", key, fix, "its value is no record of a service, so every reader passes it over: %v", err)
	}
	return nodes
}
