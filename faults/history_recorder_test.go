package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/faults/history"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// recorder tells a log the history of an etcd, over a connection of its own that
// nothing disturbs. It shares no code with what is tested but the form of the
// records.
type recorder struct {
	server *testkit.Etcd
	client *clientv3.Client
	log    *history.Log

	cancel context.CancelFunc
	done   sync.WaitGroup
	broken atomic.Pointer[error]
	last   atomic.Int64 // the revision up to which all is recorded, since the last wipe
}

// empty is the revision of an etcd to which nothing was written.
const empty = 1

// startRecorder records from the etcd's first revision on. The etcd is empty.
func startRecorder(t *testing.T, server *testkit.Etcd) *recorder {
	t.Helper()
	r := &recorder{server: server, client: server.Client(t), log: history.NewLog(time.Now())}
	r.last.Store(empty)
	r.record()
	t.Cleanup(func() { r.cancel(); r.done.Wait() })
	return r
}

// record goes on where it was, in the background. It returns once etcd watches for
// it, so that it learns of nothing much later than observers do.
func (r *recorder) record() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	events := r.client.Watch(ctx, layout.Layout{}.Services(), clientv3.WithPrefix(), clientv3.WithRev(r.last.Load()+1), clientv3.WithCreatedNotify())
	created := <-events
	r.done.Go(func() {
		r.take(created.Events)
		for resp := range events {
			if err := resp.Err(); err != nil && ctx.Err() == nil {
				err = fmt.Errorf("record the history: %w", err)
				r.broken.Store(&err)
				return
			}
			r.take(resp.Events)
		}
	})
}

// take commits the events of one answer, revision by revision.
func (r *recorder) take(events []*clientv3.Event) {
	now := time.Now()
	for len(events) > 0 {
		rev := events[0].Kv.ModRevision
		var all []history.Event
		for len(events) > 0 && events[0].Kv.ModRevision == rev {
			all = append(all, historyEvent(events[0]))
			events = events[1:]
		}
		r.log.Commit(rev, now, all...)
		r.last.Store(rev)
	}
}

func historyEvent(e *clientv3.Event) history.Event {
	key := string(e.Kv.Key)
	if e.Type == clientv3.EventTypeDelete {
		return history.Event{Key: key, Deleted: true}
	}
	s, err := layout.Layout{}.Decode(key, e.Kv.Value)
	if errors.Is(err, layout.ErrLeaving) {
		// The node has left; the delete that follows is of no node.
		return history.Event{Key: key, Deleted: true}
	}
	if err != nil {
		return history.Event{Key: key, Value: "unreadable: " + err.Error()}
	}
	return history.Event{Key: key, Value: s.Nodes[0].Metadata["text"]}
}

// pause ends the recording before the etcd is killed, once all is recorded, so
// that no client of ours has to guess what happened to its watch.
func (r *recorder) pause(t *testing.T, kill func()) {
	t.Helper()
	r.settle(t)
	kill()
	r.cancel()
	r.done.Wait()
}

// wiped says that the etcd lost its data. It is called before the etcd starts again:
// from then on observers may see the new history, of which record begins with the first revision.
func (r *recorder) wiped() {
	r.log.Wiped(time.Now())
	r.last.Store(empty)
}

// settle waits until every revision that etcd has now is recorded, deletes included.
// All that is written here is below what is recorded.
func (r *recorder) settle(t *testing.T) {
	t.Helper()
	answer, err := r.client.Get(t.Context(), layout.Layout{}.Services(), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, "the recorder has caught up", func() bool {
		return r.broken.Load() != nil || r.last.Load() >= answer.Header.Revision
	})
	if err := r.broken.Load(); err != nil {
		t.Fatal(*err)
	}
}

// list returns what etcd holds.
func (r *recorder) list(t *testing.T) history.State {
	t.Helper()
	answer, err := r.client.Get(t.Context(), layout.Layout{}.Services(), clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	state := history.State{}
	for _, kv := range answer.Kvs {
		if e := historyEvent(&clientv3.Event{Kv: kv}); !e.Deleted {
			state[e.Key] = e.Value
		}
	}
	return state
}

// recordView tells the log every view of name that r hands out.
func (r *recorder) recordView(t *testing.T, observer string, reg registry.Registry, name string) *history.View {
	t.Helper()
	v := r.log.View(observer, of(name))
	f := &caching{each: viewer(v)}
	f.start(t, reg, name)
	return v
}

// recordEvents tells the log every event that a watcher of name gets.
func (r *recorder) recordEvents(t *testing.T, observer string, reg registry.Registry, name string) *history.Stream {
	t.Helper()
	s := r.log.Stream(observer, of(name))
	fleet.Watch(t, reg, func(e *registry.Result) {
		n := e.Service.Nodes[0]
		told := history.Event{Key: layout.Layout{}.Node(e.Service.Name, n.Id), Value: n.Metadata["text"]}
		if e.Action == registry.Delete.String() {
			told = history.Event{Key: told.Key, Deleted: true}
		}
		s.Observe(time.Now(), told)
	}, registry.WatchService(name))
	return s
}

// lookup reads name and tells the log what it got. It reports whether there was an
// answer.
func (r *recorder) lookup(reg registry.Registry, name string) bool {
	called := time.Now()
	all, err := reg.GetService(name)
	if err != nil && err != registry.ErrNotFound {
		return false
	}
	r.log.Lookup("lookup of "+name, of(name), called, time.Now(), stateOf(all))
	return true
}

// of matches the keys of a service, all keys if name is empty.
func of(name string) func(string) bool {
	prefix := layout.Layout{}.Services()
	if name != "" {
		prefix = layout.Layout{}.Service(name)
	}
	return func(key string) bool { return len(key) > len(prefix) && key[:len(prefix)] == prefix }
}

func stateOf(services []*registry.Service) history.State {
	state := history.State{}
	for _, s := range services {
		for _, n := range s.Nodes {
			state[layout.Layout{}.Node(s.Name, n.Id)] = n.Metadata["text"]
		}
	}
	return state
}
