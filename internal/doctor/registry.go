package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

	agent    string // of Consul, that it is registered at
	standing string // what is to be said of it where it does not answer
}

// name is how findings call a node.
func (n node) name() string { return n.service + "/" + n.id }

// examineRegistry reads what is registered, from the etcd of best, all of it unless
// parts are given. remote says that etcd is on another host than we are, open that
// others can reach it.
func examineRegistry(ctx context.Context, keys layout.Layout, best *visit, parts []span, remote, open bool) []Finding {
	var r report
	root := keys.Services()
	if len(parts) == 0 {
		parts = []span{prefix(root)}
	}
	begun := time.Now()
	var kvs []*mvccpb.KeyValue
	for _, part := range parts {
		some, err := best.list(ctx, part)
		if err != nil {
			r.unreadable(best, root, err)
			return r
		}
		kvs = append(kvs, some...)
	}
	took := time.Since(begun)
	nodes := decode(ctx, keys, &r, kvs)
	services := make(map[string]bool)
	for _, n := range nodes {
		services[n.service] = true
	}
	r.ok("registry.read", best.addr, "%s of %s registered; the listing took %v", number(len(nodes), "node"), number(len(services), "service"), millis(took))
	if best.cfg.Username == "" && !best.asksCertificate {
		r.unguarded(best, remote || open)
	}
	leases := examineLeases(ctx, &r, best, nodes)
	for i, n := range nodes {
		if m, ok := leases[n.lease]; ok && m.left >= 0 {
			nodes[i].standing = fmt.Sprintf("; its lease has %s left", m)
		}
	}
	examineNodes(ctx, &r, nodes, remote)
	examinePauses(ctx, &r, keys, best, kvs)
	return r
}

// unguarded reports an etcd that has answered without a user or a certificate. On
// loopback that is how developers run it.
func (r *report) unguarded(best *visit, open bool) {
	if !open {
		r.ok("auth.off", best.addr, "etcd checks no users, and serves its own host alone")
		return
	}
	r.warn("auth.off", best.addr, "turn users on with `etcdctl auth enable`, or demand client certificates (`micro server --tls_client_ca`)",
		"etcd checks neither users nor certificates: whoever reaches it can change what is registered")
}

// prefix returns the span of all keys that begin with key.
func prefix(key string) span { return span{key, clientv3.GetPrefixRangeEnd(key)} }

// list reads keys. Without a leader it has to do with what that one member knows.
func (v *visit) list(ctx context.Context, s span) ([]*mvccpb.KeyValue, error) {
	options := []clientv3.OpOption{clientv3.WithRange(s.to)}
	if v.status.Leader == 0 {
		options = append(options, clientv3.WithSerializable())
	}
	answer, err := v.client.Get(v.as(ctx), s.from, options...)
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

// decode returns the nodes and reports records that are none, until ctx ends.
func decode(ctx context.Context, keys layout.Layout, r *report, kvs []*mvccpb.KeyValue) []node {
	var nodes []node
	for i, kv := range kvs {
		if ctx.Err() != nil {
			r.warn("registry.unchecked", fmt.Sprintf("%d of %s", len(kvs)-i, number(len(kvs), "record")), "give it more time with --timeout", "there was no time to look at them")
			break
		}
		key := string(kv.Key)
		s, err := keys.Decode(key, kv.Value)
		switch {
		case err == nil:
			n := s.Nodes[0]
			nodes = append(nodes, node{key: key, lease: kv.Lease, service: s.Name, id: n.Id, address: n.Address})
		case !errors.Is(err, layout.ErrLeaving):
			r.refused(keys, key, kv.Value, err)
		}
	}
	return nodes
}

// refused reports a record that every reader passes over because of err.
func (r *report) refused(keys layout.Layout, key string, value []byte, err error) {
	fix := fmt.Sprintf("find out who wrote it; `etcdctl del %s` removes it", Shell(key))
	var s registry.Service
	switch {
	case json.Unmarshal(value, &s) != nil:
		r.problem("node.undecodable", key, fix, "its value is no record of a service, so every reader passes it over: %v", err)
	case slices.ContainsFunc(s.Nodes, func(n *registry.Node) bool { return n != nil && keys.Node(s.Name, n.Id) == key }):
		r.problem("node.refused", key, fix, "its value holds what no reader accepts: %v", err)
	default:
		r.problem("node.key_mismatch", key, fix, "it is not the key of what its value names, so every reader passes it over: %v", err)
	}
}
