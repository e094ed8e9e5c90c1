package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// putOf returns the writing of one node as another program would do it. The text
// is told apart by readers.
func putOf(t *testing.T, name, id, text string, opts ...clientv3.OpOption) clientv3.Op {
	t.Helper()
	n := &registry.Node{Id: id, Address: "127.0.0.1:1", Metadata: map[string]string{"text": text}}
	value, err := record.Encode(&registry.Service{Name: name, Version: "1"}, n)
	if err != nil {
		t.Fatal(err)
	}
	return clientv3.OpPut(record.Key(name, id), string(value), opts...)
}

// commit does all of it in one transaction.
func commit(t *testing.T, c *clientv3.Client, ops ...clientv3.Op) {
	t.Helper()
	if _, err := c.Txn(t.Context()).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
}

// watching reads a Watcher to its end and keeps what it said.
type watching struct {
	w    registry.Watcher
	read sync.WaitGroup

	mu     sync.Mutex
	events []*registry.Result
	nodes  map[string]string // by service/id, the text
	each   func(*registry.Result)
}

// watch opens a Watcher that is read until the end of the test. each, which may be
// nil, is called for every event.
func watch(t *testing.T, r registry.Registry, each func(*registry.Result), opts ...registry.WatchOption) *watching {
	t.Helper()
	w, err := r.Watch(opts...)
	if err != nil {
		t.Fatal(err)
	}
	s := &watching{w: w, nodes: map[string]string{}, each: each}
	s.read.Go(func() {
		for {
			e, err := w.Next()
			if err != nil {
				return // stopped
			}
			s.add(e)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *watching) stop() {
	s.w.Stop()
	s.read.Wait()
}

func (s *watching) add(e *registry.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	n := e.Service.Nodes[0]
	if e.Action == registry.Delete.String() {
		delete(s.nodes, e.Service.Name+"/"+n.Id)
	} else {
		s.nodes[e.Service.Name+"/"+n.Id] = n.Metadata["text"]
	}
	if s.each != nil {
		s.each(e)
	}
}

// count returns how many events there were.
func (s *watching) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// said returns the events from the given one on, "create s/a" each.
func (s *watching) said(from int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events[from:] {
		out = append(out, e.Action+" "+e.Service.Name+"/"+e.Service.Nodes[0].Id)
	}
	return out
}

// text returns what the watcher knows of a node, "" if nothing.
func (s *watching) text(node string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[node]
}

// view returns all that the watcher knows, in a form that can be compared.
func (s *watching) view() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return outline(s.nodes)
}

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
		if s, err := record.Decode(string(kv.Key), kv.Value); err == nil {
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

// told waits until there are n more events than from, and returns how long that
// took since begin.
func (s *watching) told(t *testing.T, begin time.Time, from, n int) time.Duration {
	t.Helper()
	testkit.Eventually(t, patience, fmt.Sprintf("%d events", n), func() bool { return s.count() >= from+n })
	return time.Since(begin)
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
