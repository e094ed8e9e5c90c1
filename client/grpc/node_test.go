package grpc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestErrorsKeepTheConnection(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	for range 100 {
		if _, err := say(t.Context(), c, "404"); fault(t, err).Code != 404 {
			t.Fatal(err)
		}
	}
	if got := n.conns.Load(); got != 1 {
		t.Errorf("%d connections", got)
	}
	if got := n.calls.Load(); got != 100 {
		t.Errorf("%d calls", got)
	}
}

func TestManyCallsShareOneConnection(t *testing.T) {
	const calls = 300
	var all sync.WaitGroup
	all.Add(calls)
	meet := func(ctx context.Context, path string, decode func(any) error) (any, error) {
		all.Done()
		all.Wait() // answers when every call has arrived
		return echo(ctx, path, decode)
	}
	a, b := serve(t, meet), serve(t, meet)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RequestTimeout(20*time.Second))
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			what := fmt.Sprint(i)
			if got, err := say(t.Context(), c, what); err != nil || got != what {
				t.Errorf("%q: got %q, %v", what, got, err)
			}
		})
	}
	callers.Wait()
	if a.conns.Load() > 1 || b.conns.Load() > 1 {
		t.Errorf("%d and %d connections", a.conns.Load(), b.conns.Load())
	}
}

func TestCallsLeaveADeadNode(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))))
	testkit.Eventually(t, 5*time.Second, "both nodes are called", func() bool {
		mustSay(t, c, "x")
		return a.calls.Load() > 0 && b.calls.Load() > 0
	})
	a.server.Stop()
	// What was written before the end of the connection is noticed may have been
	// carried out, and is not tried again.
	testkit.Eventually(t, 5*time.Second, "the end of the connection is noticed", func() bool { return stateOf(t, c, a) != endpoint.Ready })
	for range 200 { // one retry, and the registry still lists the node
		mustSay(t, c, "x")
	}
}

func TestTheOnlyNodeComesBack(t *testing.T) {
	a := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	mustSay(t, c, "x")
	a.server.Stop()
	begun := time.Now()
	_, err := say(t.Context(), c, "x")
	if e := fault(t, err); e.Code != 500 && e.Code != 503 {
		t.Errorf("got %v", e)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v to learn that nobody is there", took)
	}
	serveAt(t, a.Address, echo)
	testkit.Eventually(t, 5*time.Second, "the node answers again", func() bool {
		_, err := say(t.Context(), c, "x")
		return err == nil
	})
}

func TestRefusedConnection(t *testing.T) {
	a := serve(t, echo)
	a.server.Stop()
	c := newClient(t)
	_, err := say(t.Context(), c, "x", client.WithAddress(a.Address))
	if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, a.Address) || !strings.Contains(e.Detail, "refused") {
		t.Errorf("got %v", e)
	}
}

func TestConnectionOfANodeThatLeft(t *testing.T) {
	t.Parallel()
	a, b := serve(t, echo), serve(t, echo)
	r := register(t, service("echo", a, b))
	c := newClient(t, client.Registry(r))
	testkit.Eventually(t, 5*time.Second, "both nodes are connected", func() bool {
		mustSay(t, c, "x")
		return a.open.Load() == 1 && b.open.Load() == 1
	})
	if err := r.Deregister(service("echo", a)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 6*time.Second, "the connection is closed", func() bool { return a.open.Load() == 0 })
	before := a.calls.Load()
	mustSay(t, c, "x")
	if b.open.Load() != 1 || a.calls.Load() != before {
		t.Error("the wrong connection was closed")
	}
}

func TestNodeWithoutAddress(t *testing.T) {
	c := newClient(t)
	_, err := say(t.Context(), c, "x", client.WithAddress(""))
	if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, `connect to "": `) || strings.Contains(e.Detail, "443") {
		t.Errorf("got %v", e)
	}
}
