package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/metadata"
)

func request(body any) *client.Request {
	r := client.NewRequest("greeter", "Greeter.Hello", body)
	return &r
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client.NewCache()
		ctx := t.Context()
		c.Set(ctx, request("a"), "short", time.Second)
		c.Set(ctx, request("b"), "for ever", 0)
		other := metadata.NewContext(ctx, metadata.Metadata{"Micro-Namespace": "other"})

		if v, ok := c.Get(ctx, request("a")); !ok || v != "short" {
			t.Fatalf("got %v, %t", v, ok)
		}
		for name, miss := range map[string]func() (any, bool){
			"another body":      func() (any, bool) { return c.Get(ctx, request("c")) },
			"another namespace": func() (any, bool) { return c.Get(other, request("a")) },
			"no request":        func() (any, bool) { return c.Get(ctx, nil) },
		} {
			if v, ok := miss(); ok {
				t.Errorf("%s got %v", name, v)
			}
		}
		if n := len(c.List()); n != 2 {
			t.Errorf("List has %d entries, want 2", n)
		}

		wait(time.Second)
		if v, ok := c.Get(ctx, request("a")); ok {
			t.Errorf("got %v after it expired", v)
		}
		if v, ok := c.Get(ctx, request("b")); !ok || v != "for ever" {
			t.Errorf("got %v, %t", v, ok)
		}
		for _, v := range c.List() {
			if v != `"for ever"` {
				t.Errorf("List has %s", v)
			}
		}
	})
}

// wait lets the bubble's clock advance.
func wait(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

func TestCacheDoesNotConfuseBodiesWithoutJSON(t *testing.T) {
	c := client.NewCache()
	c.Set(t.Context(), request(make(chan int)), "x", 0)
	if v, ok := c.Get(t.Context(), request(make(chan string))); ok {
		t.Fatalf("got %v for another request", v)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const limit = 4096
	c := client.NewCache()
	for i := range limit + 100 {
		c.Set(t.Context(), request(i), i, time.Hour)
		if v, ok := c.Get(t.Context(), request(i)); !ok || v != i {
			t.Fatalf("the answer to request %d was dropped at once", i)
		}
	}
	if n := len(c.List()); n != limit {
		t.Fatalf("the cache holds %d answers, want %d", n, limit)
	}
}
