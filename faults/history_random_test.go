package faults

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/faults/history"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// viewer tells v the updates of a feed.
func viewer(v *history.View) func(feed.Update) {
	first := true
	return func(u feed.Update) {
		v.Observe(time.Now(), u.Revision, u.Gap || first, stateOf(u.Services))
		first = false
	}
}

// P5: under random faults every view is a fold of etcd's history, none goes back
// while connected, every event comes once and in order outside of faults, every
// lookup was true at some time of its call, and the views equal etcd at most 2 s
// after etcd answers, 4 s after a black hole or a freeze.
func TestHistoryUnderRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(times(2, 40)) {
		t.Run(fmt.Sprintf("seed %d", seed+1), func(t *testing.T) {
			t.Parallel()
			l := startLaboratory(t, seed+1)
			l.run(t, times(8, 24))
			l.judge(t, 2*time.Second)
		})
	}
}

// laboratory is an etcd, a link to it that can be broken, what writes and what
// observes.
type laboratory struct {
	server   *testkit.Etcd
	proxy    *testkit.Proxy
	recorder *recorder
	random   *rand.Rand
	observed registry.Registry // over the proxy
	near     registry.Registry // not over the proxy
	views    []*history.View
	streams  []*history.Stream
	faults   []string
	answered int // lookups
	written  int
}

func startLaboratory(t *testing.T, seed uint64) *laboratory {
	t.Helper()
	l := &laboratory{server: testkit.StartEtcd(t), random: rand.New(rand.NewPCG(seed, 3))}
	l.proxy = testkit.StartProxy(t, l.server.Addr())
	l.recorder = startRecorder(t, l.server)
	l.observed = fleet.Registry(t, l.proxy.Addr())
	l.near = fleet.Registry(t, l.server.Addr())
	for _, name := range []string{"", "s0", "s1"} {
		what := "all services"
		if name != "" {
			what = name
		}
		l.views = append(l.views, l.recorder.recordView(t, "view of "+what, l.observed, name))
		l.streams = append(l.streams, l.recorder.recordEvents(t, "watcher of "+what, l.observed, name))
	}
	return l
}

// write makes one change, by the one registry, by the other, or by a third party
// in a batch. Failures are the business of other tests.
func (l *laboratory) write(t *testing.T) {
	name, id := fmt.Sprintf("s%d", l.random.IntN(3)), fmt.Sprintf("n%d", l.random.IntN(4))
	l.written++
	text := fmt.Sprint(l.written)
	s := &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: id, Address: "127.0.0.1:1", Metadata: map[string]string{"text": text}}}}
	by := l.near
	if l.random.IntN(2) == 0 {
		by = l.observed
		s.Nodes[0].Id = "far-" + id
	}
	short := registry.RegisterContext(t.Context())
	switch l.random.IntN(6) {
	case 0:
		_ = by.Deregister(s)
	case 1, 2:
		_ = by.Register(s, registry.RegisterTTL(3*time.Second), short)
	case 3:
		var ops []clientv3.Op
		for i := range 5 {
			ops = append(ops, putOf(t, name, fmt.Sprintf("batch%d", i), text))
		}
		_, _ = l.recorder.client.Txn(t.Context()).Then(ops...).Commit()
	case 4:
		_, _ = l.recorder.client.Delete(t.Context(), layout.Layout{}.Service(name)+"batch", clientv3.WithPrefix())
	case 5:
		lease, err := l.recorder.client.Grant(t.Context(), 60)
		if err != nil {
			return
		}
		_, _ = l.recorder.client.Txn(t.Context()).Then(
			putOf(t, name, "leased0", text, clientv3.WithLease(lease.ID)),
			putOf(t, name, "leased1", text, clientv3.WithLease(lease.ID))).Commit()
		if l.random.IntN(2) == 0 {
			_, _ = l.recorder.client.Revoke(t.Context(), lease.ID)
		}
	}
	if l.recorder.lookup(l.observed, name) {
		l.answered++
	}
}

// fault is one way to break things: begin breaks, end repairs. While it lasts,
// writing may go on.
type fault struct {
	name       string
	begin, end func()
	writing    bool
	silent     bool // nothing is refused, it just does not come
}

func (l *laboratory) choices(t *testing.T) []fault {
	server, proxy := l.server, l.proxy
	restore := func() { proxy.Restore(t) }
	none := func() {}
	return []fault{
		{name: "cut", begin: proxy.Cut, end: restore, writing: true},
		{name: "cut and compaction", begin: proxy.Cut, end: func() { l.recorder.settle(t); server.Compact(t); restore() }, writing: true},
		{name: "compaction", begin: func() { l.recorder.settle(t); server.Compact(t) }, end: none, writing: true},
		{name: "reset", begin: func() { proxy.Reset() }, end: none, writing: true},
		{name: "delay", begin: func() { proxy.Delay(20 * time.Millisecond) }, end: restore, writing: true},
		{name: "black hole", begin: proxy.Blackhole, end: restore, writing: true, silent: true},
		{name: "half-open", begin: proxy.HalfOpen, end: restore, writing: true, silent: true},
		{name: "drop", begin: proxy.Drop, end: restore, writing: true, silent: true},
		{name: "freeze", begin: func() { l.recorder.settle(t); server.Freeze(t) }, end: func() { server.Thaw(t); server.WaitReady(t) }, silent: true},
		{name: "kill", begin: func() { l.recorder.pause(t, server.Kill) }, end: func() { server.Restart(t); l.recorder.record() }},
		{name: "wipe", begin: func() { l.recorder.pause(t, server.Kill) }, end: func() { server.Wipe(); l.recorder.wiped(); server.Restart(t); l.recorder.record() }},
	}
}

// run does a number of rounds, each with a fault, in a random order in which every
// fault comes before one comes again.
func (l *laboratory) run(t *testing.T, rounds int) {
	t.Helper()
	var order []int
	for len(order) < rounds {
		order = append(order, l.random.Perm(len(l.choices(t)))...)
	}
	for _, i := range order[:rounds] {
		for range 5 {
			l.write(t)
		}
		f := l.choices(t)[i]
		l.faults = append(l.faults, f.name)
		from := time.Now()
		f.begin()
		l.during(t, f)
		f.end()
		bound := 2 * time.Second
		if f.silent {
			bound = 4 * time.Second
		}
		back := time.Now()
		l.recorder.log.Disturbed(from, back, bound)
		l.converge(t, f.name)
	}
}

// during lets the fault last, with changes by a third party and by the registries.
func (l *laboratory) during(t *testing.T, f fault) {
	var calling sync.WaitGroup
	defer calling.Wait()
	if !f.writing {
		testkit.Elapse(t, time.Duration(100+l.random.IntN(1000))*time.Millisecond)
		return
	}
	for range 3 + l.random.IntN(6) {
		name := fmt.Sprintf("s%d", l.random.IntN(3))
		l.written++
		text := fmt.Sprint(l.written)
		if l.random.IntN(3) == 0 {
			_, _ = l.recorder.client.Delete(t.Context(), layout.Layout{}.Service(name)+"batch", clientv3.WithPrefix())
		} else {
			commit(t, l.recorder.client, putOf(t, name, "batch0", text), putOf(t, name, "batch1", text))
		}
		testkit.Elapse(t, time.Duration(l.random.IntN(100))*time.Millisecond)
	}
}

// converge waits until the views equal etcd. How long that may take is judged by
// the log.
func (l *laboratory) converge(t *testing.T, after string) {
	t.Helper()
	converged := false
	defer func() {
		if !converged {
			l.save(t, l.recorder.log.Check(time.Now(), history.Bounds{Lag: 2 * time.Second, Slack: time.Second}))
		}
	}()
	for i, name := range []string{"", "s0", "s1"} {
		testkit.Eventually(t, patience, "views and watchers equal etcd after "+after, func() bool {
			truth := l.recorder.log.State(of(name))
			return maps.Equal(truth, l.views[i].Now()) && maps.Equal(truth, l.streams[i].Now())
		})
	}
	converged = true
}

// judge prints and checks what was recorded.
func (l *laboratory) judge(t *testing.T, lag time.Duration) {
	t.Helper()
	l.recorder.settle(t)
	l.converge(t, "all")
	state := l.recorder.list(t)
	if !maps.Equal(state, l.recorder.log.State(nil)) {
		t.Fatalf("the recorder itself is wrong: %v, etcd has %v", l.recorder.log.State(nil), state)
	}
	f := l.recorder.log.Check(time.Now(), history.Bounds{Lag: lag, Slack: time.Second})
	t.Logf("faults: %s", strings.Join(l.faults, ", "))
	t.Logf("measured: %d revisions, %d views and events, %d lookups checked, %d violations; out of date %s at most, bound %s (4s after silence)",
		l.recorder.log.Size(), f.Events, f.Lookups, len(f.Violations), f.Lag.Round(time.Millisecond), lag)
	for _, v := range f.Violations[:min(len(f.Violations), 10)] {
		t.Error(v)
	}
	if len(f.Violations) > 0 {
		l.save(t, f)
	}
	if l.recorder.log.Size() < 5*len(l.faults) || f.Lookups < len(l.faults) || l.proxy.Conns() < 2 {
		t.Errorf("too little happened: %d revisions, %d lookups, %d connections", l.recorder.log.Size(), f.Lookups, l.proxy.Conns())
	}
	if slices.Max(l.faults) == slices.Min(l.faults) && len(l.faults) > 1 {
		t.Errorf("one fault only: %s", l.faults[0])
	}
}

// save keeps the history of a run that found something.
func (l *laboratory) save(t *testing.T, f history.Findings) {
	t.Helper()
	var text bytes.Buffer
	fmt.Fprintf(&text, "faults: %s\n", strings.Join(l.faults, ", "))
	if err := l.recorder.log.Save(&text, f); err != nil {
		t.Error(err)
	}
	testkit.Artifact(t, "history.txt", text.Bytes())
}
