package bridge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// flaky is a registry that can be made to fail.
type flaky struct {
	registry.Registry
	mu   sync.Mutex
	away error
	told chan struct{}
}

func newFlaky() *flaky { return &flaky{Registry: memory.NewRegistry(), told: make(chan struct{})} }

func (f *flaky) fail(err error) {
	f.mu.Lock()
	f.away = err
	close(f.told)
	f.told = make(chan struct{})
	f.mu.Unlock()
	synctest.Wait()
}

func (f *flaky) state() (<-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told, f.away
}

func (f *flaky) Register(s *registry.Service, o ...registry.RegisterOption) error {
	if _, err := f.state(); err != nil {
		return err
	}
	return f.Registry.Register(s, o...)
}

// Follow supplies views while the registry does not fail.
func (f *flaky) Follow(ctx context.Context, name string, sink feed.Sink) error {
	for ctx.Err() == nil {
		told, err := f.state()
		if err != nil {
			sink.Status(feed.Status{Err: err, Since: time.Now()})
			select {
			case <-told:
			case <-ctx.Done():
			}
			continue
		}
		round, cancel := context.WithCancel(ctx)
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			select {
			case <-told:
				cancel()
			case <-round.Done():
			}
		}()
		err = feed.Of(f.Registry).Follow(round, name, sink)
		cancel()
		<-stop
		if err != nil {
			return err
		}
	}
	return nil
}

func TestSourceAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, b := newFlaky(), side("b")
		from.fail(errors.New("connection refused"))
		l, _ := start(t, Side{"a", from}, b, nil)
		want(t, "a source that was never there", b.Registry, "")
		register(t, from.Registry, node("shop", "shop-1", "h:1"))
		from.fail(nil)
		want(t, "a source that came", b.Registry, "shop/shop-1@h:1<a")
		from.fail(errors.New("connection refused"))
		deregister(t, from.Registry, node("shop", "shop-1", "h:1"))
		time.Sleep(20 * ttl)
		want(t, "a source that is away", b.Registry, "shop/shop-1@h:1<a")
		register(t, from.Registry, node("shop", "shop-2", "h:2"))
		from.fail(nil)
		time.Sleep(2 * time.Minute)
		want(t, "a source that is back", b.Registry, "shop/shop-2@h:2<a")
		if got := l.kinds(""); got != "lost a, back a, ready, lost a, back a" {
			t.Errorf("told %s", got)
		}
	})
}

func TestTargetAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, to := side("a"), newFlaky()
		register(t, a.Registry, node("shop", "shop-1", "h:1"))
		l, _ := start(t, a, Side{"b", to}, nil)
		want(t, "there", to.Registry, "shop/shop-1@h:1<a")
		to.fail(errors.New("connection refused"))
		time.Sleep(2 * ttl)
		want(t, "away for longer than the time to live", to.Registry, "")
		register(t, a.Registry, node("shop", "shop-2", "h:2"))
		to.fail(nil)
		want(t, "back", to.Registry, "shop/shop-1@h:1<a shop/shop-2@h:2<a")
		if got := l.kinds(""); got != "ready, lost b, back b" {
			t.Errorf("told %s", got)
		}
	})
}
