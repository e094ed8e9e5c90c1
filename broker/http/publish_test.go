package http_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// short returns a context that ends after d.
func short(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// record registers a subscription of somebody else's.
func record(t *testing.T, r registry.Registry, version, id, address string, more ...string) *registry.Service {
	t.Helper()
	s := &registry.Service{Name: "micro.http.broker", Version: version, Nodes: []*registry.Node{{
		Id: id, Address: address, Metadata: map[string]string{"broker": "http", "secure": "false", "topic": "t"},
	}}}
	for i := 0; i < len(more); i += 2 {
		s.Nodes[0].Metadata[more[i]] = more[i+1]
	}
	if err := r.Register(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// silent returns the address of somebody who accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := testkit.StartProxy(t, l.Addr().String())
	proxy.Blackhole()
	t.Cleanup(func() { l.Close() })
	return proxy.Addr()
}

// One subscription that says nothing costs the others nothing, and the publisher hears of
// what is not taken for it.
func TestASilentSubscriptionHarmsNobody(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	record(t, r, "ff.http.broadcast", "silent", silent(t), "rollcall", "x")
	b := connected(t, r, broker.StopGrace(time.Millisecond), broker.ErrorHandler(func(broker.Event) error { return nil }))
	got := subscribed(t, b, "t")
	full := 0
	const n = 2000
	for i := range n {
		err := b.Publish("t", &broker.Message{Body: fmt.Append(nil, i)}, broker.PublishContext(short(t, 50*time.Millisecond)))
		switch {
		case errors.Is(err, broker.ErrFull):
			full++
		case err != nil:
			t.Fatal(err)
		}
		if i%200 == 199 {
			for range 200 {
				receive(t, got)
			}
		}
	}
	if full < 900 || full > 1000 {
		t.Errorf("of %d messages %d found the lane full, of which 1024 are kept", n, full)
	}
	err := b.Publish("t", &broker.Message{}, broker.Confirmed(), broker.PublishContext(short(t, 50*time.Millisecond)))
	if err == nil {
		t.Error("a message that nobody has taken was confirmed")
	}
	if err := b.Disconnect(); err == nil || !strings.Contains(err.Error(), "messages are not sent") {
		t.Errorf("disconnect: %v", err)
	}
}

// Members of a queue that are silent, refuse, have unsubscribed or have an address that is
// none cost it nothing: messages go to the one that takes them, once.
func TestMembersThatTakeNothing(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nethttp.NotFoundHandler())
	defer gone.Close()
	busy := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) }))
	defer busy.Close()
	for name, address := range map[string]string{
		"refuses": "127.0.0.1:1", "is gone": gone.Listener.Addr().String(), "is busy": busy.Listener.Addr().String(), "has no address": "unix:/x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := memory.NewRegistry()
			record(t, r, "q", "other", address)
			b := connected(t, r)
			got := subscribed(t, b, "t", broker.Queue("q"))
			const n = 100
			for i := range n {
				if err := b.Publish("t", &broker.Message{Body: fmt.Append(nil, i)}, broker.Confirmed()); err != nil {
					t.Fatal(err)
				}
			}
			for range n {
				receive(t, got)
			}
			if len(got) != 0 {
				t.Errorf("%d messages came twice", len(got))
			}
		})
	}
	t.Run("is silent", func(t *testing.T) {
		t.Parallel()
		r := memory.NewRegistry()
		record(t, r, "q", "other", silent(t), "rollcall", "x")
		b := connected(t, r, broker.StopGrace(time.Millisecond), broker.ErrorHandler(func(broker.Event) error { return nil }))
		got := subscribed(t, b, "t", broker.Queue("q"))
		const n = 200
		for i := range n {
			if err := b.Publish("t", &broker.Message{Body: fmt.Append(nil, i)}); err != nil {
				t.Fatal(err)
			}
		}
		// The rest is in the hands of the silent one, which may have taken it.
		for range n - 8 {
			receive(t, got)
		}
	})
}

// A queue outlives its last member for a while, which may be restarting.
func TestAQueueWaitsForItsMembers(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	publisher, first := connected(t, r), connected(t, r)
	got := subscribed(t, first, "t", broker.Queue("q"))
	if err := publisher.Publish("t", &broker.Message{}, broker.Confirmed()); err != nil {
		t.Fatal(err)
	}
	receive(t, got)
	// It dies: what is published from now on waits.
	dead := record(t, r, "q", "dead", "127.0.0.1:1")
	if err := first.Disconnect(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := publisher.Publish("t", &broker.Message{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Deregister(dead); err != nil {
		t.Fatal(err)
	}
	got = subscribed(t, connected(t, r), "t", broker.Queue("q"))
	for range 20 {
		receive(t, got)
	}
}

// A message that may have been taken by a subscription of v2's is not posted again.
func TestV2IsNotPostedToTwice(t *testing.T) {
	t.Parallel()
	var posted atomic.Int32
	var keys atomic.Int32
	v2 := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, req *nethttp.Request) {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			t.Error(err)
		}
		if req.Header.Get("Idempotency-Key") != "" {
			keys.Add(1)
		}
		if posted.Add(1) == 1 {
			panic(nethttp.ErrAbortHandler) // the connection breaks before the answer
		}
	}))
	defer v2.Close()
	r := memory.NewRegistry()
	failed := make(chan error, 10)
	record(t, r, "ff.http.broadcast", "v2", v2.Listener.Addr().String())
	b := connected(t, r)
	if err := b.Publish("another", &broker.Message{}); err != nil {
		t.Fatal(err)
	}
	// The last one is told, also of what is published.
	if err := b.Init(broker.ErrorHandler(func(e broker.Event) error { failed <- e.Error(); return nil })); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("t", &broker.Message{Body: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, failed); err == nil || !strings.Contains(err.Error(), "may have been taken") {
		t.Errorf("the error handler was told %v", err)
	}
	if err := b.Publish("t", &broker.Message{Body: []byte("2")}, broker.Confirmed()); err != nil {
		t.Error(err)
	}
	if posted.Load() != 2 || keys.Load() != 0 {
		t.Errorf("posted %d times, %d with a key", posted.Load(), keys.Load())
	}
}

// An ErrorHandler that does not return, as one that disconnects the broker itself, does
// not hold up its end.
func TestAnErrorHandlerThatBlocks(t *testing.T) {
	t.Parallel()
	odd := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(nethttp.StatusTeapot) }))
	defer odd.Close()
	r := memory.NewRegistry()
	record(t, r, "ff.http.broadcast", "odd", odd.Listener.Addr().String())
	told, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	b := http.NewBroker(broker.Registry(r), broker.StopGrace(10*time.Millisecond), broker.ErrorHandler(func(broker.Event) error {
		close(told)
		<-release
		return nil
	}))
	if err := b.Publish("t", &broker.Message{}); err != nil {
		t.Fatal(err)
	}
	receive(t, told)
	ended := make(chan error, 1)
	go func() { ended <- b.Disconnect() }()
	if err := receive(t, ended); err == nil || !strings.Contains(err.Error(), "1 messages are not sent") {
		t.Errorf("got %v", err)
	}
}

// What an answer says leads nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var led atomic.Bool
	elsewhere := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { led.Store(true) }))
	defer elsewhere.Close()
	odd := httptest.NewServer(nethttp.RedirectHandler(elsewhere.URL, nethttp.StatusTemporaryRedirect))
	defer odd.Close()
	r := memory.NewRegistry()
	record(t, r, "ff.http.broadcast", "odd", odd.Listener.Addr().String())
	err := connected(t, r).Publish("t", &broker.Message{}, broker.Confirmed())
	if err == nil || !strings.Contains(err.Error(), "answered 307") || led.Load() {
		t.Errorf("got %v; posted elsewhere: %v", err, led.Load())
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	b := connected(t, memory.NewRegistry())
	got := subscribed(t, b, "t")
	if err := b.Publish("t", &broker.Message{Body: bytes.Repeat([]byte{0xff}, 4<<20)}); !errors.Is(err, broker.ErrTooLarge) || !strings.Contains(err.Error(), "http.MaxMessageSize") {
		t.Errorf("more than 4 MiB: %v", err)
	}
	if err := b.Publish("t", &broker.Message{Body: bytes.Repeat([]byte{0xff}, 4<<20-100)}, broker.Confirmed()); err != nil {
		t.Errorf("nearly 4 MiB: %v", err)
	}
	if m := receive(t, got); len(m.Body) != 4<<20-100 {
		t.Errorf("received %d bytes", len(m.Body))
	}
}

// away is a registry that does not answer.
type away struct{ registry.Registry }

func (away) GetService(string, ...registry.GetOption) ([]*registry.Service, error) {
	return nil, errors.New("connection refused")
}
func (away) Watch(...registry.WatchOption) (registry.Watcher, error) {
	return nil, errors.New("connection refused")
}
func (away) Options() registry.Options { return registry.Options{Timeout: 100 * time.Millisecond} }
func (away) String() string            { return "away" }

func TestTheRegistryIsAway(t *testing.T) {
	t.Parallel()
	b := connected(t, away{memory.NewRegistry()})
	for _, opts := range [][]broker.PublishOption{nil, {broker.Confirmed()}} {
		err := b.Publish("t", &broker.Message{}, opts...)
		if err == nil || !strings.Contains(err.Error(), "find the subscriptions") || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got %v", err)
		}
	}
}

// counting counts how often services are looked up.
type counting struct {
	registry.Registry
	asked *atomic.Int32
}

func (c counting) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	c.asked.Add(1)
	return c.Registry.GetService(name, opts...)
}

func TestTheRegistryIsNotAskedForEachMessage(t *testing.T) {
	t.Parallel()
	r := counting{memory.NewRegistry(), new(atomic.Int32)}
	b := connected(t, r)
	got := subscribed(t, b, "t")
	for range 500 {
		if err := b.Publish("t", &broker.Message{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 500 {
		receive(t, got)
	}
	if n := r.asked.Load(); n > 10 {
		t.Errorf("the registry was asked %d times for 500 messages", n)
	}
}

// A broker that only publishes needs no Connect, and Disconnect ends it all the same.
func TestPublishWithoutConnect(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	got := subscribed(t, connected(t, r), "t")
	b := http.NewBroker(broker.Registry(r))
	if err := b.Publish("t", &broker.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := b.Disconnect(); err != nil { // sends what waits
		t.Error(err)
	}
	receive(t, got)
}

func ExampleNewBroker() {
	b := http.NewBroker(broker.Registry(memory.NewRegistry()), broker.Addrs("127.0.0.1:0"))
	if err := b.Connect(); err != nil {
		fmt.Println(err)
		return
	}
	_, err := b.Subscribe("orders", func(e broker.Event) error {
		fmt.Printf("%s: %s\n", e.Topic(), e.Message().Body)
		return nil
	}, broker.Queue("billing"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := b.Publish("orders", &broker.Message{Body: []byte("two pears")}, broker.Confirmed()); err != nil {
		fmt.Println(err)
	}
	if err := b.Disconnect(); err != nil { // waits until it is handled
		fmt.Println(err)
	}
	// Output: orders: two pears
}
