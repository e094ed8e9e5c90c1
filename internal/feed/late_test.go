package feed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// judge is a registry of its own kind: it supplies views and knows causes.
type judge struct {
	registry.Registry
	followed chan string
}

func (j judge) Follow(ctx context.Context, name string, sink feed.Sink) error {
	sink.Update(feed.Update{})
	j.followed <- name
	<-ctx.Done()
	return nil
}

func (j judge) Resolve(_ context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	return make([]feed.Cause, len(gone)+1), nil
}

func TestLateWaitsForTheChoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry.NewRegistry()
		src := feed.Of(r)
		ctx, cancel := context.WithCancel(t.Context())
		s, ended := &sink{}, make(chan error, 1)
		go func() { ended <- src.Follow(ctx, "s", s) }()
		synctest.Wait()
		s.mu.Lock()
		if len(s.lines) != 1 || !strings.HasPrefix(s.lines[0], "not live: ") || !strings.Contains(s.lines[0], registry.ErrNoRegistry.Error()) {
			t.Errorf("before the choice: %q", s.lines)
		}
		s.mu.Unlock()
		gone := []feed.Departure{{Cause: feed.Vanished}}
		if causes, err := src.(feed.Resolver).Resolve(ctx, gone); err != nil || len(causes) != 1 || causes[0] != feed.Vanished {
			t.Errorf("before the choice: %v, %v", causes, err)
		}
		chosen := judge{followed: make(chan string, 1)}
		r.(ability.Placeholder).Choose(chosen)
		if got := <-chosen.followed; got != "s" {
			t.Errorf("followed %q", got)
		}
		if causes, _ := src.(feed.Resolver).Resolve(ctx, gone); len(causes) != 2 {
			t.Errorf("not what was chosen was asked, but something that says %v", causes)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// closing is a registry that ends: it is followed until it is closed.
type closing struct {
	registry.Registry
	name  string
	ended chan struct{}
}

func (c *closing) Follow(ctx context.Context, _ string, sink feed.Sink) error {
	sink.Update(feed.Update{Services: []*registry.Service{one(c.name + " 1 n 1:1")}})
	select {
	case <-ctx.Done():
		return nil
	case <-c.ended:
		return registry.ErrClosed
	}
}

// coat wraps a registry and changes nothing.
type coat struct{ registry.Registry }

func (c coat) Unwrap() registry.Registry { return c.Registry }

// TestLateFollowsTheNextChoice ends what was chosen and chooses again, as a process
// does that runs one service after another.
func TestLateFollowsTheNextChoice(t *testing.T) {
	for _, chosenBefore := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := registry.NewRegistry().(ability.Placeholder)
			first, second := &closing{name: "first", ended: make(chan struct{})}, &closing{name: "second", ended: make(chan struct{})}
			if chosenBefore {
				p.Choose(first)
			}
			src := feed.Of(coat{p})
			p.Choose(first)
			s, ended := &sink{}, make(chan error, 1)
			go func() { ended <- src.Follow(t.Context(), "s", s) }()
			synctest.Wait()
			p.Forget(first)
			close(first.ended)
			synctest.Wait()
			p.Choose(second)
			synctest.Wait()
			s.mu.Lock()
			all := strings.Join(s.lines, "; ")
			s.mu.Unlock()
			if a, b, c := strings.Index(all, "first"), strings.Index(all, "not live"), strings.Index(all, "second"); a < 0 || b < a || c < b {
				t.Errorf("the sink heard %s", all)
			}
			close(second.ended) // and stays what is chosen
			if err := <-ended; !errors.Is(err, registry.ErrClosed) {
				t.Errorf("Follow: %v", err)
			}
		})
	}
}

func TestLateEndsWithoutAChoice(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := feed.Of(registry.NewRegistry()).Follow(ctx, "s", &sink{}); err != nil {
		t.Error(err)
	}
}
