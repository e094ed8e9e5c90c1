package conn

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// A server that allows few calls on a connection gets more connections, as many as
// are allowed, and these are closed again.
func TestMoreConnectionsWhenStreamsAreTaken(t *testing.T) {
	const streams, calls, allowed = 10, 70, 40
	var now, most atomic.Int64
	full := make(chan struct{}, calls) // holds a token for each call that may end
	n := serve(t, "", func(ctx context.Context, _, text string) (string, error) {
		at := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); at > m && !most.CompareAndSwap(m, at); m = most.Load() {
		}
		if at == allowed {
			for range calls {
				select {
				case full <- struct{}{}:
				default:
				}
			}
		}
		select {
		case <-full:
			return text, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}, grpc.MaxConcurrentStreams(streams))
	c := must(t, newSet(t, Options{PoolSize: 4, CloseDelay: 100 * time.Millisecond, Silence: time.Hour}), n.address)
	for range 2 { // when nothing is known of the server, and when it is
		var wg sync.WaitGroup
		for range calls {
			wg.Go(func() {
				if err := callWithin(t.Context(), c, 20*time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if m := most.Swap(0); m != allowed {
			t.Errorf("%d calls at once, want %d", m, allowed)
		}
		for len(full) > 0 {
			<-full
		}
	}
	if got := n.open.Load(); got > 4 {
		t.Errorf("%d connections", got)
	}
	testkit.Eventually(t, inTime, "one connection is left", func() bool { return n.open.Load() == 1 })
}

func TestOneConnectionWhileStreamsSuffice(t *testing.T) {
	n := serve(t, "", echo)
	c := must(t, newSet(t, Options{Silence: time.Hour}), n.address)
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if err := callWithin(t.Context(), c, 20*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := n.accepted.Load(); got > 1 {
		t.Errorf("%d connections", got)
	}
}

func TestStreamsWereTaken(t *testing.T) {
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	n := serve(t, "", gate(entered, leave), grpc.MaxConcurrentStreams(1))
	c := must(t, newSet(t, Options{PoolSize: 1, Silence: time.Hour}), n.address)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := call(t, c, "x"); err != nil {
			t.Error(err)
		}
	})
	<-entered
	err := callWithin(t.Context(), c, 100*time.Millisecond)
	var taken *endpoint.StreamsTakenError
	if !errors.As(err, &taken) || status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "takes 1 calls on a connection") {
		t.Errorf("got %v", err)
	}
	close(leave)
	wg.Wait()
}

func TestManyFirstCallsToNobody(t *testing.T) {
	s := newSet(t, Options{})
	c := must(t, s, free(t))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if err := callWithin(t.Context(), c, 10*time.Second); !endpoint.Unwritten(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
}
