package grpc

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/client"
)

// PoolMaxStreams opens another connection earlier than the server would have it.
func TestPoolMaxStreams(t *testing.T) {
	var all sync.WaitGroup
	all.Add(6)
	n := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		all.Done()
		all.Wait()
		return echo(ctx, path, decode)
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))), PoolMaxStreams(2), client.PoolSize(2))
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { mustSay(t, c, "x") })
	}
	wg.Wait()
	if got := n.conns.Load(); got < 2 || got > 4 { // each may be asked on another whether the node lives
		t.Errorf("%d connections", got)
	}
}

// A server that allows 100 calls on a connection, and 700 calls of 1 s at once.
func TestManyCallsToAServerThatLimitsStreams(t *testing.T) {
	n := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
		return echo(ctx, path, decode)
	}, grpc.MaxConcurrentStreams(100))
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	var wg sync.WaitGroup
	for range 700 {
		wg.Go(func() {
			if _, err := say(t.Context(), c, "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Beside each of the four one more may have been made, to ask whether a node lives
	// that says nothing for a second, as it may seem to on a busy machine.
	if got := n.conns.Load(); got > 8 {
		t.Errorf("%d connections", got)
	}
}
