package grpc

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/feed"
)

func TestOnEvent(t *testing.T) {
	events := make(chan Event, 10)
	node := serve(t, echo)
	r := register(t, service("echo", node))
	c := newClient(t, client.Registry(r), OnEvent(func(e Event) { events <- e }))
	if _, err := say(t.Context(), c, "x"); err != nil {
		t.Fatal(err)
	}
	if err := r.Deregister(service("echo", node)); err != nil {
		t.Fatal(err)
	}
	timeout := time.NewTimer(5 * time.Second)
	defer timeout.Stop()
	for _, want := range []EventKind{WentLive, NodeDeparted} {
		select {
		case e := <-events:
			if e.Kind != want || e.Service != "echo" || want == NodeDeparted && (e.Cause != feed.Deleted || e.Node.Address != node.Address) {
				t.Errorf("told %+v, want %v", e, want)
			}
		case <-timeout.C:
			t.Fatalf("nobody was told of %v", want)
		}
	}
}
