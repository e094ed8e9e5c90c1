package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/registry"
)

// putOf returns the writing of one node as another program would do it. The text
// is told apart by readers.
func putOf(t *testing.T, name, id, text string, opts ...clientv3.OpOption) clientv3.Op {
	t.Helper()
	n := &registry.Node{Id: id, Address: "127.0.0.1:1", Metadata: map[string]string{"text": text}}
	value, err := layout.Encode(&registry.Service{Name: name, Version: "1"}, n)
	if err != nil {
		t.Fatal(err)
	}
	return clientv3.OpPut(layout.Layout{}.Node(name, id), string(value), opts...)
}

// commit does all of it in one transaction.
func commit(t *testing.T, c *clientv3.Client, ops ...clientv3.Op) {
	t.Helper()
	if _, err := c.Txn(t.Context()).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
}

// outline returns nodes with their texts in a form that can be compared.
func outline(nodes map[string]string) string {
	var out []string
	for node, text := range nodes {
		out = append(out, node+"="+text)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// held returns what etcd holds, in the same form.
func held(t *testing.T, c *clientv3.Client, prefix string) string {
	t.Helper()
	answer, err := c.Get(t.Context(), prefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]string{}
	for _, kv := range answer.Kvs {
		if s, err := (layout.Layout{}).Decode(string(kv.Key), kv.Value); err == nil {
			nodes[s.Name+"/"+s.Nodes[0].Id] = s.Nodes[0].Metadata["text"]
		}
	}
	return outline(nodes)
}

// numbered returns n texts, "create s/node-0000" and so on.
func numbered(action, name string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %s/node-%04d", action, name, i)
	}
	return out
}

// sameOrder fails the test unless the texts are the wanted ones in their order.
func sameOrder(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d events, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: event %d is %q, want %q", what, i, got[i], want[i])
			return
		}
	}
}
