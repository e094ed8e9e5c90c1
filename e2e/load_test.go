package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// pair is two nodes of one service behind counting listeners, and a client.
type pair struct {
	nodes     [2]*fleet.Node
	listeners [2]*fleet.Listener
	client    client.Client
}

func startPair(t *testing.T) *pair {
	t.Helper()
	e := testkit.StartEtcd(t)
	p := &pair{}
	for i := range p.nodes {
		p.listeners[i] = fleet.Listen(t)
		p.nodes[i] = fleet.Service(t, "greeter", fleet.Registry(t, e.Addr()), []server.Option{sgrpc.Listener(p.listeners[i])})
	}
	for _, n := range p.nodes {
		n.Until(t, n.Began(), 10*time.Second)
	}
	p.client = fleet.Client(t, fleet.Registry(t, e.Addr()))
	return p
}

// connections checks how many connections each node has accepted.
func (p *pair) connections(t *testing.T, most int) {
	t.Helper()
	for i, l := range p.listeners {
		n := l.Accepted()
		t.Logf("node %d has accepted %d connections", i, n)
		if n > most {
			t.Errorf("node %d has accepted %d connections, want at most %d", i, n, most)
		}
	}
}

func TestAnswersBelongToTheirQuestions(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	greeter := legacypb.NewGreeterService("greeter", p.client)
	var served [2]atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	const goroutines, calls = 32, 1000
	for g := range goroutines {
		all.Go(func() {
			for i := range calls {
				text := fmt.Sprintf("%d/%d", g, i)
				var err error
				switch i % 3 {
				case 0:
					var got string
					if got, err = fleet.Call(t.Context(), p.client, "greeter", "Say", text); err == nil && got != text {
						err = fmt.Errorf("answered %q", got)
					}
				case 1:
					var rsp *legacypb.HelloReply
					rsp, err = greeter.Hello(t.Context(), &legacypb.HelloRequest{Name: text, Times: int64(i), Labels: map[string]string{"g": fmt.Sprint(g)}})
					if err == nil && (rsp.Greeting != "Hello "+text || rsp.Asked.Times != int64(i) || rsp.Asked.Labels["g"] != fmt.Sprint(g)) {
						err = fmt.Errorf("answered %v", rsp)
					}
				case 2:
					_, err = fleet.Call(t.Context(), p.client, "greeter", "Missing", text)
					if e := errors.FromError(err); e == nil || e.Id != "echo" || e.Code != 404 || e.Detail != "no "+text+" here" {
						err = fmt.Errorf("answered %v", err)
					} else {
						err = nil
					}
				}
				if err != nil {
					t.Errorf("question %q: %v", text, err)
					return
				}
			}
			who, err := fleet.Call(t.Context(), p.client, "greeter", "Who", "")
			for i, n := range p.nodes {
				if err == nil && who == n.ID() {
					served[i].Add(1)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	t.Logf("%d calls in %v, %.0f a second", goroutines*calls, took.Round(time.Millisecond), goroutines*calls/took.Seconds())
	p.connections(t, 1)
	if served[0].Load() == 0 || served[1].Load() == 0 {
		t.Error("one node served all the calls")
	}
}

// TestShortDeadlines gives calls a millisecond: whatever becomes of them, nothing
// may write to an answer that was given up. The race detector watches.
func TestShortDeadlines(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	fleet.MustSay(t, p.client, "greeter")
	var late, right atomic.Int64
	var all sync.WaitGroup
	for g := range 20 {
		all.Go(func() {
			for i := range 500 {
				text := fmt.Sprintf("%d/%d", g, i)
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				rsp := new(fleet.Text)
				err := p.client.Call(ctx, p.client.NewRequest("greeter", "Echo.Say", &fleet.Text{Text: text}, client.WithContentType("application/json")), rsp)
				cancel()
				switch {
				case err == nil && rsp.Text == text:
					right.Add(1)
				case err == nil:
					t.Errorf("question %q answered with %q", text, rsp.Text)
				case errors.FromError(err).Code == 408:
					late.Add(1)
				default:
					t.Errorf("question %q: %v, want code 408", text, err)
				}
				rsp.Text = "mine again"
			}
		})
	}
	all.Wait()
	t.Logf("%d calls were answered, %d were late", right.Load(), late.Load())
	fleet.MustSay(t, p.client, "greeter")
	p.connections(t, 1)
}

func TestOneConnectionPerNode(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range 300 {
		all.Go(func() {
			<-begin
			text := fmt.Sprint(i)
			if got, err := fleet.Call(t.Context(), p.client, "greeter", "Say", text); err != nil || got != text {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	close(begin)
	all.Wait()
	p.connections(t, 1)
	for i := range 100 {
		if _, err := fleet.Call(t.Context(), p.client, "greeter", "Missing", fmt.Sprint(i)); errors.FromError(err).Code != 404 {
			t.Errorf("got %v, want code 404", err)
		}
	}
	p.connections(t, 1)
}
