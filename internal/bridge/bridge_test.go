package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// ttl is that of the bridges under test.
const ttl = 15 * time.Second

// node returns a record of the service with one node.
func node(service, id, address string) *registry.Service {
	return &registry.Service{Name: service, Version: "1", Nodes: []*registry.Node{{Id: id, Address: address, Metadata: map[string]string{"zone": "a"}}}}
}

// outline writes what is registered as service/node@address, with the mark behind.
func outline(t *testing.T, r registry.Registry) string {
	t.Helper()
	services, err := r.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	return written(services)
}

// written writes services as outline does.
func written(services []*registry.Service) string {
	var all []string
	for _, s := range services {
		for _, n := range s.Nodes {
			one := s.Name + "/" + n.Id + "@" + n.Address
			if mark := n.Metadata[Mark]; mark != "" {
				one += "<" + mark
			}
			all = append(all, one)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// log collects events.
type log struct {
	mu     sync.Mutex
	events []Event
}

func (l *log) tell(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// kinds returns what happened to a node, or to the bridge if node is "", in order.
func (l *log) kinds(node string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Node == node {
			all = append(all, strings.TrimSuffix(string(e.Kind)+" "+e.Registry, " "))
		}
	}
	return strings.Join(all, ", ")
}

// start starts a bridge between two memories or what stands for them. stop ends it,
// gracefully, and returns its error.
func start(t *testing.T, from, to Side, change func(*Config)) (*log, func() error) {
	t.Helper()
	l := &log{}
	cfg := Config{From: from, To: to, TTL: ttl, OnEvent: l.tell}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	synctest.Wait()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return l, stop
}

func side(name string) Side { return Side{name, memory.NewRegistry()} }

func register(t *testing.T, r registry.Registry, s *registry.Service, opts ...registry.RegisterOption) {
	t.Helper()
	if err := r.Register(s, opts...); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func deregister(t *testing.T, r registry.Registry, s *registry.Service) {
	t.Helper()
	if err := r.Deregister(s); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func want(t *testing.T, what string, r registry.Registry, nodes string) {
	t.Helper()
	synctest.Wait()
	if got := outline(t, r); got != nodes {
		t.Errorf("%s: there is\n  %s\nwant\n  %s", what, got, nodes)
	}
}

func TestMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		register(t, b.Registry, node("other", "other-1", "h:9"))
		l, stop := start(t, a, b, nil)
		want(t, "what was there", b.Registry, "other/other-1@h:9 shop/shop-1@h:1<a")
		register(t, a.Registry, node("shop", "shop-2", "h:2"))
		register(t, a.Registry, node("shop", "shop-1", "h:3"))
		want(t, "what came and changed", b.Registry, "other/other-1@h:9 shop/shop-1@h:3<a shop/shop-2@h:2<a")
		got, err := b.Registry.GetService("shop")
		if err != nil || got[0].Nodes[0].Metadata["zone"] != "a" || got[0].Version != "1" {
			t.Errorf("got %+v, %v", got, err)
		}
		deregister(t, a.Registry, node("shop", "shop-1", ""))
		want(t, "what left", b.Registry, "other/other-1@h:9 shop/shop-2@h:2<a")
		time.Sleep(10 * ttl)
		want(t, "what stays is renewed", b.Registry, "other/other-1@h:9 shop/shop-2@h:2<a")
		if err := stop(); err != nil {
			t.Error(err)
		}
		want(t, "what a stopped bridge leaves", b.Registry, "other/other-1@h:9")
		want(t, "the source", a.Registry, "shop/shop-2@h:2")
		if got := l.kinds("shop-1"); got != "create, update, delete" {
			t.Errorf("told %s", got)
		}
		if got := l.kinds(""); got != "ready, stop" {
			t.Errorf("told %s", got)
		}
	})
}

func TestLeavesRecordsToTheirTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		_, stop := start(t, a, b, func(c *Config) { c.Leave = true })
		if err := stop(); err != nil {
			t.Error(err)
		}
		want(t, "right after the end", b.Registry, "shop/shop-1@h:1<a")
		time.Sleep(ttl + time.Second)
		want(t, "after the time to live", b.Registry, "")
	})
}

func TestServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			patterns []string
			want     string
		}{
			{[]string{"shop"}, "shop/n@h:1<a"},
			{[]string{"shop*"}, "shop.cart/n@h:1<a shop/n@h:1<a"},
			{[]string{"shop", "user"}, "shop/n@h:1<a user/n@h:1<a"},
		} {
			a, b := side("a"), side("b")
			for _, name := range []string{"shop", "shop.cart", "user"} {
				register(t, a.Registry, node(name, "n", "h:1"))
			}
			_, stop := start(t, a, b, func(c *Config) { c.Services = tt.patterns })
			want(t, fmt.Sprint(tt.patterns), b.Registry, tt.want)
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestNoEcho runs both directions at once.
func TestNoEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		start(t, a, b, nil)
		start(t, b, a, nil)
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		register(t, b.Registry, node("user", "user-1", "h:2"))
		want(t, "a", a.Registry, "shop/shop-1@h:1 user/user-1@h:2<b")
		want(t, "b", b.Registry, "shop/shop-1@h:1<a user/user-1@h:2")
		deregister(t, a.Registry, node("shop", "shop-1", ""))
		want(t, "a", a.Registry, "user/user-1@h:2<b")
		want(t, "b", b.Registry, "user/user-1@h:2")
		time.Sleep(10 * ttl)
		want(t, "a, later", a.Registry, "user/user-1@h:2<b")
	})
}

// TestRing has a bridge from each of three to the next, and one bridge that calls the
// first by another name: whatever it does, nothing stays that has left.
func TestRing(t *testing.T) {
	for _, alias := range []string{"a", "also-a"} {
		t.Run(alias, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, c := side("a"), side("b"), side("c")
				start(t, a, b, nil)
				start(t, b, c, nil)
				start(t, c, Side{alias, a.Registry}, nil)
				register(t, a.Registry, node("shop", "shop-1", "h:1"))
				want(t, "a", a.Registry, "shop/shop-1@h:1")
				want(t, "b", b.Registry, "shop/shop-1@h:1<a")
				want(t, "c", c.Registry, "shop/shop-1@h:1<a,b")
				deregister(t, a.Registry, node("shop", "shop-1", ""))
				time.Sleep(time.Second)
				for _, s := range []Side{a, b, c} {
					want(t, s.Name+" after the node left", s.Registry, "")
				}
			})
		})
	}
}

func TestOwnRecordWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		register(t, b.Registry, node("shop", "shop-1", "own:1"))
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		register(t, a.Registry, node("shop", "shop-2", "h:2"))
		l, stop := start(t, a, b, nil)
		want(t, "at the start", b.Registry, "shop/shop-1@own:1 shop/shop-2@h:2<a")
		register(t, b.Registry, node("shop", "shop-2", "own:2")) // it moves
		want(t, "a service that moves", b.Registry, "shop/shop-1@own:1 shop/shop-2@own:2")
		time.Sleep(3 * ttl)
		want(t, "later", b.Registry, "shop/shop-1@own:1 shop/shop-2@own:2")
		deregister(t, a.Registry, node("shop", "shop-2", ""))
		want(t, "when it has moved", b.Registry, "shop/shop-1@own:1 shop/shop-2@own:2")
		deregister(t, b.Registry, node("shop", "shop-1", ""))
		want(t, "when the own record leaves", b.Registry, "shop/shop-1@h:1<a shop/shop-2@own:2")
		if err := stop(); err != nil {
			t.Error(err)
		}
		want(t, "at the end", b.Registry, "shop/shop-2@own:2")
		if got := l.kinds("shop-1"); got != "aside, create, delete" && got != "aside, create" {
			t.Errorf("told %s", got)
		}
		if got := l.kinds("shop-2"); got != "create, aside" {
			t.Errorf("told %s", got)
		}
	})
}

// counting counts the writes to a registry.
type counting struct {
	registry.Registry
	mu     sync.Mutex
	writes int
}

func (c *counting) Register(s *registry.Service, o ...registry.RegisterOption) error {
	c.mu.Lock()
	c.writes++
	c.mu.Unlock()
	return c.Registry.Register(s, o...)
}

func (c *counting) Follow(ctx context.Context, name string, sink feed.Sink) error {
	return feed.Of(c.Registry).Follow(ctx, name, sink)
}

func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// TestTwins runs two bridges of one direction, and two from different registries that
// hold the same node.
func TestTwins(t *testing.T) {
	for _, second := range []string{"a", "z"} {
		t.Run(second, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := side("a"), side("b")
				counted := &counting{Registry: b.Registry}
				b.Registry = counted
				other := a
				if second != "a" {
					other = side(second)
					register(t, other.Registry, node("shop", "shop-1", "h:1"))
				}
				register(t, a.Registry, node("shop", "shop-1", "h:1"))
				_, stopFirst := start(t, a, b, nil)
				_, stopSecond := start(t, other, b, nil)
				time.Sleep(10 * ttl)
				want(t, "both", b.Registry, "shop/shop-1@h:1<a")
				if n := counted.count(); n > 2*3*11 {
					t.Errorf("they wrote %d times in ten times to live: they fight", n)
				}
				if err := stopFirst(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
				want(t, "one is left", b.Registry, "shop/shop-1@h:1<"+second)
				if err := stopSecond(); err != nil {
					t.Error(err)
				}
				want(t, "none is left", b.Registry, "")
			})
		})
	}
}

// flaky is a registry that can be made to fail.
type flaky struct {
	registry.Registry
	mu   sync.Mutex
	away error
	told chan struct{}
}

func newFlaky() *flaky { return &flaky{Registry: memory.NewRegistry(), told: make(chan struct{})} }

func (f *flaky) fail(err error) {
	f.mu.Lock()
	f.away = err
	close(f.told)
	f.told = make(chan struct{})
	f.mu.Unlock()
	synctest.Wait()
}

func (f *flaky) state() (<-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told, f.away
}

func (f *flaky) Register(s *registry.Service, o ...registry.RegisterOption) error {
	if _, err := f.state(); err != nil {
		return err
	}
	return f.Registry.Register(s, o...)
}

// Follow supplies views while the registry does not fail.
func (f *flaky) Follow(ctx context.Context, name string, sink feed.Sink) error {
	for ctx.Err() == nil {
		told, err := f.state()
		if err != nil {
			sink.Status(feed.Status{Err: err, Since: time.Now()})
			select {
			case <-told:
			case <-ctx.Done():
			}
			continue
		}
		round, cancel := context.WithCancel(ctx)
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			select {
			case <-told:
				cancel()
			case <-round.Done():
			}
		}()
		err = feed.Of(f.Registry).Follow(round, name, sink)
		cancel()
		<-stop
		if err != nil {
			return err
		}
	}
	return nil
}

func TestSourceAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, b := newFlaky(), side("b")
		from.fail(errors.New("connection refused"))
		l, _ := start(t, Side{"a", from}, b, nil)
		want(t, "a source that was never there", b.Registry, "")
		register(t, from.Registry, node("shop", "shop-1", "h:1"))
		from.fail(nil)
		want(t, "a source that came", b.Registry, "shop/shop-1@h:1<a")
		from.fail(errors.New("connection refused"))
		deregister(t, from.Registry, node("shop", "shop-1", "h:1"))
		time.Sleep(20 * ttl)
		want(t, "a source that is away", b.Registry, "shop/shop-1@h:1<a")
		register(t, from.Registry, node("shop", "shop-2", "h:2"))
		from.fail(nil)
		time.Sleep(2 * time.Minute)
		want(t, "a source that is back", b.Registry, "shop/shop-2@h:2<a")
		if got := l.kinds(""); got != "lost a, back a, ready, lost a, back a" {
			t.Errorf("told %s", got)
		}
	})
}

func TestTargetAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, to := side("a"), newFlaky()
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		l, _ := start(t, a, Side{"b", to}, nil)
		want(t, "there", to.Registry, "shop/shop-1@h:1<a")
		to.fail(errors.New("connection refused"))
		time.Sleep(2 * ttl)
		want(t, "away for longer than the time to live", to.Registry, "")
		register(t, a.Registry, node("shop", "shop-2", "h:2"))
		to.fail(nil)
		want(t, "back", to.Registry, "shop/shop-1@h:1<a shop/shop-2@h:2<a")
		if got := l.kinds(""); got != "ready, lost b, back b" {
			t.Errorf("told %s", got)
		}
	})
}

func TestDeletedByHandIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		start(t, a, b, nil)
		deregister(t, b.Registry, node("shop", "shop-1", "h:1"))
		want(t, "right after", b.Registry, "shop/shop-1@h:1<a")
	})
}

// TestManyThatLeaveTogetherAreDoubted lets all records of the source expire, as a
// registry that loses its data does.
func TestManyThatLeaveTogetherAreDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		for i := range 3 {
			register(t, a.Registry, node("shop", fmt.Sprint("shop-", i), "h:1"), registry.RegisterTTL(time.Minute))
		}
		register(t, a.Registry, node("user", "user-1", "h:1"), registry.RegisterTTL(30*time.Second))
		l, _ := start(t, a, b, nil)
		all := "shop/shop-0@h:1<a shop/shop-1@h:1<a shop/shop-2@h:1<a"
		want(t, "at first", b.Registry, all+" user/user-1@h:1<a")
		time.Sleep(31 * time.Second)
		want(t, "when one expired", b.Registry, all)
		time.Sleep(30 * time.Second)
		want(t, "when all others did", b.Registry, all)
		register(t, a.Registry, node("shop", "shop-0", "h:1"))
		time.Sleep(50 * time.Second)
		want(t, "for a while", b.Registry, all)
		time.Sleep(15 * time.Second)
		want(t, "after a minute", b.Registry, "shop/shop-0@h:1<a")
		if got := l.kinds("shop-1"); got != "create, keep, delete" {
			t.Errorf("told %s", got)
		}
	})
}

// TestManyThatLeaveOneByOne lets the records of all nodes end within seconds, as leases
// do whose owners cannot reach the registry.
func TestManyThatLeaveOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		for i := range 5 {
			register(t, a.Registry, node("shop", fmt.Sprint("shop-", i), "h:1"), registry.RegisterTTL(time.Minute+time.Duration(i)*time.Second))
		}
		l, _ := start(t, a, b, nil)
		time.Sleep(time.Minute + 6*time.Second)
		want(t, "the source", a.Registry, "")
		all := "shop/shop-0@h:1<a shop/shop-1@h:1<a shop/shop-2@h:1<a shop/shop-3@h:1<a shop/shop-4@h:1<a"
		want(t, "when all have gone", b.Registry, all)
		time.Sleep(50 * time.Second)
		want(t, "for a while", b.Registry, all)
		time.Sleep(15 * time.Second)
		want(t, "after a minute", b.Registry, "")
		if got := l.kinds("shop-0"); got != "create, delete, keep, delete" {
			t.Errorf("told of the first %s", got)
		}
		if got := l.kinds("shop-4"); got != "create, keep, delete" {
			t.Errorf("told of the last %s", got)
		}
	})
}

// TestDoubtsOutliveASourceThatIsAway takes the source away while nodes are in doubt,
// for longer than doubts last: when it is back they have time to register.
func TestDoubtsOutliveASourceThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, b := newFlaky(), side("b")
		for i := range 2 {
			register(t, from.Registry, node("shop", fmt.Sprint("shop-", i), "h:1"), registry.RegisterTTL(time.Minute))
		}
		start(t, Side{"a", from}, b, nil)
		time.Sleep(time.Minute + time.Second)
		all := "shop/shop-0@h:1<a shop/shop-1@h:1<a"
		want(t, "in doubt", b.Registry, all)
		from.fail(errors.New("connection refused"))
		time.Sleep(5 * time.Minute)
		from.fail(nil)
		time.Sleep(30 * time.Second)
		want(t, "half a minute after the source is back", b.Registry, all)
		time.Sleep(35 * time.Second)
		want(t, "after a minute", b.Registry, "")
	})
}

func TestManyNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 500
		a, b := side("a"), side("b")
		s := &registry.Service{Name: "shop", Version: "1"}
		for i := range n {
			s.Nodes = append(s.Nodes, &registry.Node{Id: fmt.Sprint("shop-", i), Address: "h:1"})
		}
		register(t, a.Registry, s)
		start(t, a, b, nil)
		synctest.Wait()
		if got, err := b.Registry.GetService("shop"); err != nil || len(got[0].Nodes) != n {
			t.Errorf("got %v", err)
		}
	})
}

func TestWrongConfigurations(t *testing.T) {
	a := side("a")
	for _, tt := range []struct {
		to   Side
		want string
	}{
		{Side{"", a.Registry}, "must not be empty"},
		{Side{"x,y", a.Registry}, `hold no ","`},
		{a, "they are one"},
	} {
		err := Run(t.Context(), Config{From: a, To: tt.to})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("to %q: got %v, want %q", tt.to.Name, err, tt.want)
		}
	}
}
