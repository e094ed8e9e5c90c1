package e2e

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// counter counts the connections that it accepts.
type counter struct {
	net.Listener
	accepted atomic.Int64
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// pair is two nodes of one service behind counting listeners, and a client.
type pair struct {
	nodes     [2]*node
	listeners [2]*counter
	client    client.Client
}

func startPair(t *testing.T) *pair {
	t.Helper()
	e := testkit.StartEtcd(t)
	p := &pair{}
	for i := range p.nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p.listeners[i] = &counter{Listener: l}
		p.nodes[i] = startServer(t, "greeter", openRegistry(t, e.Addr()), []server.Option{sgrpc.Listener(p.listeners[i])})
	}
	for _, n := range p.nodes {
		n.until(t, n.began, 2*time.Second)
	}
	p.client = newClient(t, openRegistry(t, e.Addr()))
	return p
}

// connections checks how many connections each node has accepted.
func (p *pair) connections(t *testing.T, most int64) {
	t.Helper()
	for i, l := range p.listeners {
		n := l.accepted.Load()
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
					if got, err = say(t.Context(), p.client, "greeter", text); err == nil && got != text {
						err = fmt.Errorf("answered %q", got)
					}
				case 1:
					var rsp *legacypb.HelloReply
					rsp, err = greeter.Hello(t.Context(), &legacypb.HelloRequest{Name: text, Times: int64(i), Labels: map[string]string{"g": fmt.Sprint(g)}})
					if err == nil && (rsp.Greeting != "Hello "+text || rsp.Asked.Times != int64(i) || rsp.Asked.Labels["g"] != fmt.Sprint(g)) {
						err = fmt.Errorf("answered %v", rsp)
					}
				case 2:
					_, err = echo(t.Context(), p.client, "greeter", "Missing", text)
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
			who, err := echo(t.Context(), p.client, "greeter", "Who", "")
			for i, n := range p.nodes {
				if err == nil && who == n.id() {
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
	mustSay(t, p.client, "greeter")
	var late, right atomic.Int64
	var all sync.WaitGroup
	for g := range 20 {
		all.Go(func() {
			for i := range 500 {
				text := fmt.Sprintf("%d/%d", g, i)
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				rsp := new(Text)
				err := p.client.Call(ctx, p.client.NewRequest("greeter", "Echo.Say", &Text{text}, client.WithContentType("application/json")), rsp)
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
	mustSay(t, p.client, "greeter")
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
			if got, err := say(t.Context(), p.client, "greeter", text); err != nil || got != text {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	close(begin)
	all.Wait()
	p.connections(t, 1)
	for i := range 100 {
		if _, err := echo(t.Context(), p.client, "greeter", "Missing", fmt.Sprint(i)); errors.FromError(err).Code != 404 {
			t.Errorf("got %v, want code 404", err)
		}
	}
	p.connections(t, 1)
}
