package registrytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// wrapped is a registry around another one, as programs write them to count or to
// log.
type wrapped struct{ registry.Registry }

// Unwrap returns the registry inside.
func (w wrapped) Unwrap() registry.Registry { return w.Registry }

// opaque is a wrapper that does not say what is inside, as those written for v2.
type opaque struct{ registry.Registry }

// throughWrappers checks that whoever registers through a wrapper learns whether the
// backend renews by itself: otherwise records expire, or are written for nothing.
func (s *suite) throughWrappers(t *testing.T) {
	r := s.open(t)
	for what, r := range map[string]registry.Registry{"the backend": r, "a wrapper": wrapped{r}, "two wrappers": wrapped{wrapped{r}}} {
		if got := ability.Renews(r); got != s.renews {
			t.Errorf("%s: renews by itself %v, want %v", what, got, s.renews)
		}
		if err := ability.Check(r); err != nil {
			t.Errorf("%s: said to be unusable for ever: %v", what, err)
		}
	}
	// The wrapper is a registry like others.
	w := wrapped{r}
	hello := service("hello", "1", "a")
	mustRegister(t, w, hello)
	s.holds(t, w, "hello", hello)
	s.holds(t, r, "hello", hello)
}

// renewalThroughWrappers keeps a node registered through a wrapper for longer than its
// time to live: the backend renews by itself, or it is registered again every third of
// that time, as a service does where it sees no ability to renew. Neither is a change
// to whoever watches or follows.
func (s *suite) renewalThroughWrappers(t *testing.T) {
	if s.noExpiry {
		s.lacks(t, s.open(t), "expiry", "the backend takes no notice of the time to live")
	}
	for what, wrap := range map[string]func(registry.Registry) registry.Registry{
		"Unwrap":   func(r registry.Registry) registry.Registry { return wrapped{r} },
		"NoUnwrap": func(r registry.Registry) registry.Registry { return opaque{r} },
	} {
		t.Run(what, func(t *testing.T) {
			for deadline := time.Now().Add(s.patience); ; {
				changed, late := s.renewed(t, wrap(s.open(t)))
				if changed == nil {
					return
				}
				if !late || time.Now().After(deadline) {
					t.Fatal(changed)
				}
			}
		})
	}
}

// renewed keeps a node registered for twice its time to live, and returns what a
// watcher or a follower saw of that. It is late if the machine did not let it renew in
// time: then the node may have expired by right.
func (s *suite) renewed(t *testing.T, r registry.Registry) (changed error, late bool) {
	t.Helper()
	byHand := !ability.Renews(r)
	hello := service("hello", "1", "a")
	w, views := s.watch(t, r), s.follow(t, r)
	s.lastTime(t, r, hello, func() {
		w.sees(t, registry.Create, hello)
		if err := poll(s.patience, func() error { return views.saw(1) }); err != nil {
			t.Fatal(err)
		}
	})
	renewed := time.Now()
	isLate := func() bool {
		late = late || byHand && time.Since(renewed) > s.ttl*3/4
		return late
	}
	over, third := time.NewTimer(2*s.ttl), time.NewTicker(s.ttl/3)
	defer over.Stop()
	defer third.Stop()
	for lasts := true; lasts; {
		select {
		case <-third.C:
			if !byHand {
				continue
			}
			begun := time.Now()
			mustRegister(t, r, hello, registry.RegisterTTL(s.ttl))
			isLate()
			renewed = begun
		case result := <-w.results:
			if result == nil {
				t.Fatalf("Next returned %v", w.err)
			}
			return fmt.Errorf("the renewal is a change to a watcher: %q of\n%s", result.Action, describe(result.Service)), isLate()
		case <-over.C:
			lasts = false
		}
	}
	if _, err := r.GetService("hello"); err != nil {
		return fmt.Errorf("the node that was renewed is gone after twice its time to live: %w", err), isLate()
	}
	if gone, left := views.of("a"); left {
		return fmt.Errorf("a follower saw the node leave, though it was renewed: %v", gone.Cause), isLate()
	}
	mustDeregister(t, r, hello)
	w.leaves(t, "hello", "a")
	return nil, false
}

// followed checks what supplies discovery: the backend's own source, or the adapter
// around the contract. The first view comes though there is nothing, each is complete,
// and following ends with its context.
func (s *suite) followed(t *testing.T) {
	r := s.open(t)
	views := s.follow(t, r)
	must := func(what string, want ...*registry.Service) {
		t.Helper()
		if err := poll(s.patience, func() error {
			got, known := views.last()
			if !known {
				return fmt.Errorf("%s: a follower was told nothing", what)
			}
			if g, w := s.describe(got...), s.describe(want...); g != w {
				return fmt.Errorf("%s: a follower sees\n%s\nwant\n%s", what, g, w)
			}
			return inOrder(got)
		}); err != nil {
			t.Fatal(err)
		}
	}
	must("nothing is registered")
	one, two, other := service("hello", "1", "a", "b"), service("hello", "2", "c"), service("other", "1", "a")
	for _, each := range []*registry.Service{two, one, other} {
		mustRegister(t, r, each)
	}
	must("two versions", one, two)
	two.Nodes[0].Address = "10.9.9.9:1"
	mustRegister(t, r, two)
	must("a node moved", one, two)
	mustDeregister(t, r, two)
	must("a version left", one)
	if !knowsWhy(r) {
		return // the adapter's, which tries again
	}
	for _, name := range []string{"..", "/"} {
		if err := s.within(t, "follow", func() error { return feed.Of(r).Follow(t.Context(), name, &departures{}) }); err == nil {
			t.Errorf("follow %q: no error, though it can never work", name)
		}
	}
}

// twoProcesses looks at one directory through two registries: each finds what the
// other registered, and is told when it changes.
func (s *suite) twoProcesses(t *testing.T) {
	r := s.open(t)
	if s.second == nil {
		s.lacks(t, r, "processes", "no Second registry was given in the same directory")
	}
	other := s.second(t)
	defer closes(t, other)
	w := s.watch(t, r)
	ours, theirs := service("hello", "1", "a"), service("hello", "1", "b")
	mustRegister(t, r, ours)
	w.sees(t, registry.Create, ours)
	mustRegister(t, other, theirs)
	w.sees(t, registry.Create, theirs)
	for _, each := range []registry.Registry{r, other} {
		s.holds(t, each, "hello", ours, nodesOnly(service("hello", "1", "b")))
	}
	theirs.Nodes[0].Address = "10.9.9.9:1"
	mustRegister(t, other, theirs)
	w.sees(t, registry.Update, theirs)
	mustDeregister(t, other, theirs)
	w.leaves(t, "hello", "b")
	for _, each := range []registry.Registry{r, other} {
		s.holds(t, each, "hello", ours)
	}
}
