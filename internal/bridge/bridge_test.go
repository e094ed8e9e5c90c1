package bridge

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/registry"
)

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

func TestDeletedByHandIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := side("a"), side("b")
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		start(t, a, b, nil)
		deregister(t, b.Registry, node("shop", "shop-1", "h:1"))
		want(t, "right after", b.Registry, "shop/shop-1@h:1<a")
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
