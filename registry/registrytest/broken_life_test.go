package registrytest_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// views is a sink that changes what it hands on.
type views struct {
	feed.Sink
	change func(feed.Update) (feed.Update, bool)
}

func (v views) Update(u feed.Update) {
	if u, ok := v.change(u); ok {
		v.Sink.Update(u)
	}
}

// follows makes a fault that changes what followers are told.
func follows(change func(feed.Update) (feed.Update, bool)) func(*broken) {
	return func(b *broken) {
		b.follow = func(ctx context.Context, name string, sink feed.Sink) error {
			return b.inner.Follow(ctx, name, views{sink, change})
		}
	}
}

// because makes a fault that gives every departure one cause.
func because(cause feed.Cause) func(*broken) {
	return follows(func(u feed.Update) (feed.Update, bool) {
		for i := range u.Departed {
			u.Departed[i].Cause = cause
		}
		return u, true
	})
}

// neverRenews is a fault that takes no notice of renewals.
func neverRenews(b *broken) {
	b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
		if there(b, s.Name, s.Nodes[0].Id) != nil {
			var o registry.RegisterOptions
			for _, opt := range opts {
				opt(&o)
			}
			if o.TTL <= timeToLive || o.TTL > time.Minute {
				return nil
			}
		}
		return b.inner.Register(s, opts...)
	}
}

func neverExpires(b *broken) {
	b.register = func(s *registry.Service, opts ...registry.RegisterOption) error { return b.inner.Register(s) }
}

var lifeFaults = []fault{
	{name: "nothing-expires", test: "TTL", says: "saw nothing", waits: true, breaks: neverExpires},
	{name: "expiry-without-a-word", test: "TTL", says: "saw nothing", waits: true, breaks: only(func() func(*registry.Result) bool { // v2's memory
		return func(r *registry.Result) bool { return r.Action != "delete" }
	})},
	{name: "renewal-is-no-renewal", test: "TTL", says: "look up", breaks: neverRenews},
	{name: "all-left-on-purpose", test: "WhyNodesLeft", says: `"expires" left because`, breaks: because(feed.Deleted)},
	{name: "all-ran-out", test: "WhyNodesLeft", says: `"leaves" left because`, breaks: because(feed.Expired)},
	{name: "crash-empties-the-service", test: "NoFalseEmpty", says: "a follower knows 0 nodes and 0 suspects", waits: true, breaks: because(feed.Deleted)},
	{name: "goodbye-leaves-suspects", test: "NoFalseEmpty", says: "want 0 and 0", waits: true, breaks: because(feed.Expired)},
	{name: "no-view-of-nothing", test: "Follow", says: "was told nothing", waits: true, breaks: follows(func(u feed.Update) (feed.Update, bool) { return u, len(u.Services) > 0 })},
	{name: "views-in-part", test: "Follow", says: "two versions", waits: true, breaks: follows(func(u feed.Update) (feed.Update, bool) {
		u.Services = u.Services[:min(len(u.Services), 1)]
		return u, true
	})},
	{name: "any-name-is-followed", test: "Follow", says: "did not return within", waits: true, breaks: func(b *broken) {
		b.follow = func(ctx context.Context, name string, sink feed.Sink) error {
			if err := b.inner.Follow(ctx, name, sink); err != nil {
				<-ctx.Done()
			}
			return nil
		}
	}},
	{name: "each-has-a-directory", test: "TwoProcesses", says: "saw nothing", waits: true, other: func(b *broken) {
		own := memory.NewRegistry().(*memory.Registry)
		b.register, b.deregister, b.get = own.Register, own.Deregister, own.GetService
	}},
	{name: "strangers-are-not-found", test: "TwoProcesses", says: "look up", other: func(b *broken) {
		get := b.get
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			got, err := get(name, opts...)
			for _, s := range got {
				s.Nodes = s.Nodes[:1]
			}
			return got, err
		}
	}},
	{name: "renews-and-does-not-say", test: "ThroughWrappers", says: "renews by itself true", breaks: func(b *broken) { b.renews = true }},
	{name: "renewal-is-a-change", test: "RenewalThroughWrappers", says: "the renewal is a change", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			return b.inner.Register(changed(s, func(s *registry.Service) { s.Nodes[0].Metadata["renewed"] = time.Now().String() }), opts...)
		}
		tells(func() func(*registry.Result) []*registry.Result {
			return func(r *registry.Result) []*registry.Result {
				delete(r.Service.Nodes[0].Metadata, "renewed")
				return []*registry.Result{r}
			}
		})(b)
	}},
	{name: "nobody-renews", test: "RenewalThroughWrappers", says: "renew", breaks: func(b *broken) {
		seen := make(map[string]int)
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if seen[s.Nodes[0].Id]++; seen[s.Nodes[0].Id] > 2 {
				return nil
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "one-at-a-time", test: "Concurrency", says: "busy", breaks: func(b *broken) {
		var busy atomic.Bool
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if busy.Swap(true) {
				return errors.New("busy")
			}
			defer busy.Store(false)
			for range 100 {
				runtime.Gosched()
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "steps-change-places", test: "Concurrency", says: "though the events before say otherwise", breaks: swapped},
	{name: "room-for-few", test: "Crowd", says: "look up", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if got, _ := b.inner.GetService(s.Name); len(got) > 0 && len(got[0].Nodes) >= 50 {
				return nil
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "one-page-of-a-list", test: "Crowd", says: "want 10000", breaks: func(b *broken) {
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			got, err := b.inner.ListServices(opts...)
			return got[:min(len(got), 64)], err
		}
	}},
	{name: "watcher-loses-in-a-crowd", test: "Crowd", says: "saw nothing", waits: true, breaks: only(func() func(*registry.Result) bool {
		n := 0
		return func(*registry.Result) bool { n++; return n != 5000 }
	})},
}
