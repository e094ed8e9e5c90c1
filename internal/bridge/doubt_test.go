package bridge

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/registry"
)

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
