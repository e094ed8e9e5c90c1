package interop_test

import (
	"context"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// prefix is what the keys of both frameworks begin with.
const prefix = "/micro/registry/"

// store reads what stands in an etcd.
type store struct {
	t *testing.T
	c *clientv3.Client
}

func storeOf(t *testing.T, e *testkit.Etcd) store { return store{t: t, c: e.Client(t)} }

// get returns the record of a node, nil if there is none.
func (s store) get(service, node string) *record {
	s.t.Helper()
	key := prefix + service + "/" + node
	for _, r := range s.below(key) {
		if r.key == key {
			return r
		}
	}
	return nil
}

// below returns the records whose keys begin with a prefix.
func (s store) below(prefix string) (records []*record) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	r, err := s.c.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		s.t.Fatalf("read etcd: %v", err)
	}
	for _, kv := range r.Kvs {
		records = append(records, &record{key: string(kv.Key), value: string(kv.Value), lease: kv.Lease, revision: kv.ModRevision})
	}
	return records
}

// wait waits until the record of a node is there and ok.
func (s store) wait(service, node, what string, ok func(*record) bool) *record {
	s.t.Helper()
	var r *record
	testkit.Eventually(s.t, 10*time.Second, "node "+node+" of "+service+" "+what, func() bool {
		r = s.get(service, node)
		return r != nil && ok(r)
	})
	return r
}

// all returns everything that stands in the etcd.
func (s store) all() []*record {
	s.t.Helper()
	return s.below("/")
}

// put writes a record that has no lease.
func (s store) put(service, node, value string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	if _, err := s.c.Put(ctx, prefix+service+"/"+node, value); err != nil {
		s.t.Fatalf("write to etcd: %v", err)
	}
}

// there waits until a node is registered.
func (s store) there(service, node string) *record {
	s.t.Helper()
	return s.wait(service, node, "is registered", func(*record) bool { return true })
}

// only waits until a service has a node and returns its record.
func (s store) only(service string) *record {
	s.t.Helper()
	var r *record
	testkit.Eventually(s.t, 10*time.Second, "one node of "+service, func() bool {
		all := s.below(prefix + service + "/")
		if len(all) == 1 {
			r = all[0]
		}
		return len(all) == 1
	})
	return r
}

// stays fails the test if a record changes within d.
func (s store) stays(d time.Duration, r *record) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for answer := range s.c.Watch(ctx, r.key, clientv3.WithRev(r.revision+1)) {
		for _, e := range answer.Events {
			s.t.Fatalf("%s: %s %s", e.Kv.Key, e.Type, e.Kv.Value)
		}
		if err := answer.Err(); err != nil {
			s.t.Fatalf("watch etcd: %v", err)
		}
	}
}

// gone waits until the record of a node is gone.
func (s store) gone(within time.Duration, service, node string) {
	s.t.Helper()
	testkit.Eventually(s.t, within, "node "+node+" of "+service+" is gone", func() bool {
		return s.get(service, node) == nil
	})
}

// record is what stands under a key.
type record struct {
	key, value string
	lease      int64
	revision   int64
}
