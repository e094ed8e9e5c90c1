package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/faults/history"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

// naive is an observer as it is often written: it lists once, watches from there,
// and leaves the rest to the etcd client. mutate changes what it makes of an
// answer.
type naive struct {
	view   *history.View
	mutate func([]*clientv3.Event) []*clientv3.Event
	state  history.State
}

// start follows everything until the test ends.
func (n *naive) start(t *testing.T, client *clientv3.Client) {
	t.Helper()
	answer, err := client.Get(t.Context(), layout.Layout{}.Services(), clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	n.state = history.State{}
	for _, kv := range answer.Kvs {
		n.take(&clientv3.Event{Kv: kv})
	}
	n.tell(answer.Header.Revision)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() { cancel(); done.Wait() })
	events := client.Watch(ctx, layout.Layout{}.Services(), clientv3.WithPrefix(), clientv3.WithRev(answer.Header.Revision+1))
	done.Go(func() {
		for resp := range events {
			for _, e := range n.mutate(resp.Events) {
				n.take(e)
			}
			n.tell(resp.Header.Revision)
		}
	})
}

func (n *naive) take(e *clientv3.Event) {
	if told := historyEvent(e); told.Deleted {
		delete(n.state, told.Key)
	} else {
		n.state[told.Key] = told.Value
	}
}

func (n *naive) tell(rev int64) {
	state := history.State{}
	for key, value := range n.state {
		state[key] = value
	}
	n.view.Observe(time.Now(), rev, false, state)
}

// The checker of the history finds faults that were put into an observer of a real
// etcd: a watcher that keeps the first event of an answer alone, one that loses a
// delete, and one that trusts the etcd client to resume after a wipe. Without such a
// fault the same observer passes.
func TestHistoryFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	whole := func(events []*clientv3.Event) []*clientv3.Event { return events }
	for _, tc := range []struct {
		name   string
		mutate func([]*clientv3.Event) []*clientv3.Event
		wipe   bool
		want   string // of a violation; empty for none
	}{
		{"none", whole, false, ""},
		{"the first event alone", func(events []*clientv3.Event) []*clientv3.Event { return events[:min(1, len(events))] }, false, "is not the fold"},
		{"a lost delete", func(events []*clientv3.Event) (left []*clientv3.Event) {
			for _, e := range events {
				if e.Type != clientv3.EventTypeDelete {
					left = append(left, e)
				}
			}
			return left
		}, false, "is not the fold"},
		{"trust in a silent resume", whole, true, "out of date"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			const lag = 2 * time.Second
			server := testkit.StartEtcd(t)
			r := startRecorder(t, server)
			observer := &naive{view: r.log.View("naive", nil), mutate: tc.mutate}
			observer.start(t, server.Client(t))
			for i := range 20 {
				commit(t, r.client, putOf(t, "s", "a", fmt.Sprint(i)), putOf(t, "s", "b", fmt.Sprint(i)))
				if i%5 == 4 {
					commit(t, r.client, clientv3.OpDelete(layout.Layout{}.Node("s", "a")))
				}
			}
			r.settle(t)
			testkit.Eventually(t, patience, "the observer is told all", func() bool { return observer.view.Seen() >= 24 })
			if tc.wipe {
				from := time.Now()
				r.pause(t, server.Kill)
				server.Wipe()
				r.wiped()
				server.Restart(t)
				r.record()
				r.log.Disturbed(from, time.Now(), lag)
				commit(t, r.client, putOf(t, "s", "c", "after"))
				r.settle(t)
			}
			testkit.Elapse(t, lag+500*time.Millisecond)
			f := r.log.Check(time.Now(), history.Bounds{Lag: lag, Slack: time.Second})
			found := ""
			for _, v := range f.Violations {
				found += v.String() + "\n"
			}
			t.Logf("measured: %d revisions, %d violations", r.log.Size(), len(f.Violations))
			if tc.want == "" && found != "" || !strings.Contains(found, tc.want) {
				t.Errorf("found:\n%swant: %q", found, tc.want)
			}
		})
	}
}
