package bridge

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

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
