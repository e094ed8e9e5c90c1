package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/registry"
)

// source is a backend under the test's hand.
type source struct {
	mu      sync.Mutex
	sinks   map[string]feed.Sink
	follows int
	refuse  error // Follow's error

	cause feed.Cause // the Resolver's answer
	told  error
	hold  chan struct{} // the Resolver waits for it, unless nil
}

var (
	_ feed.Source   = (*source)(nil)
	_ feed.Resolver = (*source)(nil)
)

func (s *source) Follow(ctx context.Context, name string, sink feed.Sink) error {
	s.mu.Lock()
	s.follows++
	if s.refuse != nil {
		defer s.mu.Unlock()
		return s.refuse
	}
	if s.sinks == nil {
		s.sinks = map[string]feed.Sink{}
	}
	s.sinks[name] = sink
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sinks, name)
	return nil
}

func (s *source) Resolve(ctx context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return slices.Repeat([]feed.Cause{s.cause}, len(gone)), s.told
}

// sink returns what follows name, nil if nothing does.
func (s *source) sink(name string) feed.Sink {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sinks[name]
}

// view returns an update in which the given nodes of one version are registered,
// and others are gone.
func viewOf(name, ids, gone string) feed.Update {
	u := feed.Update{}
	if ids != "" {
		s := &registry.Service{Name: name, Version: "1"}
		for _, id := range strings.Fields(ids) {
			s.Nodes = append(s.Nodes, node(id))
		}
		u.Services = []*registry.Service{s}
	}
	for _, id := range strings.Fields(gone) {
		u.Departed = append(u.Departed, departure(id))
	}
	return u
}

func live() feed.Status { return feed.Status{Live: true, Since: time.Now(), Confirmed: time.Now()} }

func down(err error) feed.Status {
	return feed.Status{Err: err, Since: time.Now(), Confirmed: time.Now()}
}

// pass lets the bubble's time go on.
func pass(d time.Duration) { <-time.NewTimer(d).C }

func run(t *testing.T, opts Options, f func(t *testing.T, s *source, d *Directory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		d := New(s, opts)
		defer d.Close()
		f(t, s, d)
	})
}

// A source that goes away right after its first answer has not said more than that.
func TestAnAnswerConfirms(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("a")
		s.sink("a").Update(viewOf("a", "1", ""))
		pass(time.Second)
		s.sink("a").Status(feed.Status{Err: errors.New("away"), Since: time.Now()})
		pass(time.Second)
		if age := d.Lookup("a").Age(time.Now()); age != 2*time.Second {
			t.Errorf("the data is %s old, want 2s", age)
		}
	})
}

func TestLookupFollows(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		if s.sink("a") != nil {
			t.Fatal("followed before anybody asked")
		}
		first := d.Lookup("a")
		if first.Known || first.Name != "a" {
			t.Fatalf("first lookup: %+v", first)
		}
		s.sink("a").Update(viewOf("a", "1 2", ""))
		<-first.Changed()
		got := d.Lookup("a")
		if !got.Known || got.Origin != Live || len(got.Nodes) != 2 {
			t.Fatalf("after the answer: %+v", got)
		}
		d.Lookup("a")
		if s.sink("a"); s.follows != 1 {
			t.Fatalf("followed %d times", s.follows)
		}
		if names := d.Names(); !slices.Equal(names, []string{"a"}) {
			t.Fatalf("names %q", names)
		}
	})
}

func TestWait(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d.Lookup("empty")
		go s.sink("empty").Update(feed.Update{})
		if got, err := d.Wait(ctx, "empty"); err != nil || len(got.Nodes) != 0 || got.Seen {
			t.Fatalf("a name without nodes: %+v, %v", got, err)
		}

		if _, err := d.Wait(ctx, "silent"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("no answer: %v", err)
		}

		refused := errors.New("connection refused")
		s.sink("silent").Status(down(refused))
		ended, stop := context.WithCancel(t.Context())
		stop()
		_, err := d.Wait(ended, "silent")
		if !errors.Is(err, refused) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "since 2000-01-01") {
			t.Fatalf("out of reach: %v", err)
		}
	})
}

func TestSourceGivesUp(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		s.refuse = errors.New(`malformed address "x:y:z"`)
		if got, err := d.Wait(t.Context(), "a"); !errors.Is(err, s.refuse) || !got.Fatal {
			t.Fatalf("%+v, %v", got, err)
		}
		s.mu.Lock()
		s.refuse = nil
		s.mu.Unlock()
		pass(followRetry)
		s.sink("a").Update(viewOf("a", "1", ""))
		if got, err := d.Wait(t.Context(), "a"); err != nil || got.Fatal || got.Origin != Live {
			t.Fatalf("put right: %+v, %v", got, err)
		}
	})
}

func TestDayLongOutage(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("a")
		s.sink("a").Status(live())
		s.sink("a").Update(viewOf("a", "1 2 3", ""))
		if age := d.Lookup("a").Age(time.Now().Add(time.Hour)); age != 0 {
			t.Fatalf("confirmed data has age %v", age)
		}
		away := errors.New("out of reach")
		s.sink("a").Status(down(away))
		for range 24 * 60 {
			pass(time.Minute)
			if n := len(d.Lookup("a").Nodes); n != 3 {
				t.Fatalf("%d nodes", n)
			}
		}
		got := d.Lookup("a")
		if got.Origin != Stale || !errors.Is(got.Err, away) || got.Age(time.Now()) != 24*time.Hour {
			t.Fatalf("%v, %v, age %v", got.Origin, got.Err, got.Age(time.Now()))
		}
		if n := testing.AllocsPerRun(100, func() { d.Lookup("a") }); n != 0 {
			t.Fatalf("a lookup allocates %v times", n)
		}
		s.sink("a").Status(live())
		if got := d.Lookup("a"); got.Origin != Live || got.Age(time.Now()) != 0 {
			t.Fatalf("back again: %v, age %v", got.Origin, got.Age(time.Now()))
		}
	})
}

func TestIdleNameIsDropped(t *testing.T) {
	run(t, Options{Idle: 10 * time.Minute}, func(t *testing.T, s *source, d *Directory) {
		var dropped []string
		stop := d.Observe(func(s *Snapshot) {
			if !s.Known {
				dropped = append(dropped, s.Name)
			}
		})
		d.Lookup("kept")
		d.Lookup("idle")
		s.sink("kept").Update(viewOf("kept", "1", ""))
		s.sink("idle").Update(viewOf("idle", "1", ""))
		last := d.Lookup("idle")
		for range 9 {
			pass(time.Minute)
			d.Lookup("kept")
		}
		if s.sink("idle") == nil {
			t.Fatal("dropped before its time")
		}
		for range 3 {
			pass(time.Minute)
			d.Lookup("kept")
		}
		if s.sink("idle") != nil || s.sink("kept") == nil {
			t.Fatal("not the idle name was dropped")
		}
		<-last.Changed()
		stop()
		if !slices.Equal(dropped, []string{"idle"}) {
			t.Fatalf("observed the dropping of %q", dropped)
		}
		if d.Lookup("idle").Known {
			t.Fatal("known before the registry answered again")
		}
		if s.sink("idle") == nil {
			t.Fatal("not followed again")
		}
	})
}

func TestMassLoss(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cause feed.Cause
		told  error
		want  int
	}{
		{"expired", feed.Expired, nil, 3},
		{"deliberate", feed.Deleted, nil, 0},
		{"cannot tell", feed.Unknown, errors.New("out of reach"), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
				s.cause, s.told, s.hold = tt.cause, tt.told, make(chan struct{})
				d.Lookup("s")
				s.sink("s").Status(live())
				s.sink("s").Update(viewOf("s", "a b c", ""))
				s.sink("s").Update(viewOf("s", "", "a b c"))
				if got := d.Lookup("s"); len(got.Suspects) != 3 || len(got.Services) != 0 {
					t.Fatalf("while the question is open: %+v", got)
				}
				close(s.hold)
				synctest.Wait()
				if got := d.Lookup("s"); len(got.Suspects) != tt.want {
					t.Fatalf("%d suspects, want %d", len(got.Suspects), tt.want)
				}
				if tt.want == 0 {
					return
				}
				d.Failed("b:1")
				if got := d.Lookup("s"); len(got.Suspects) != 2 {
					t.Fatalf("%d suspects after a failed dial", len(got.Suspects))
				}
				before := d.Lookup("s")
				pass(time.Minute)
				synctest.Wait()
				if got := d.Lookup("s"); len(got.Suspects) != 0 || d.suspect.Load() != 0 {
					t.Fatalf("%d suspects after a minute", len(got.Suspects))
				}
				<-before.Changed()
			})
		})
	}
}

// A service of thousands of nodes that change one by one is not made a snapshot of
// each time, and the last change is not lost.
func TestManyChangesAreFewSnapshots(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		const nodes = 8000
		var published atomic.Int64
		defer d.Observe(func(*Snapshot) { published.Add(1) })()
		d.Lookup("s")
		sink := s.sink("s")
		var all []*registry.Node
		for i := range nodes {
			all = append(all, &registry.Node{Id: strconv.Itoa(i), Address: "h:" + strconv.Itoa(i)})
			sink.Update(feed.Update{Services: []*registry.Service{{Name: "s", Nodes: all[:i+1]}}})
			if i%10 == 0 {
				pass(time.Millisecond)
			}
		}
		pass(50 * time.Millisecond)
		if n := len(d.Lookup("s").Nodes); n != nodes {
			t.Errorf("%d nodes are known, want %d", n, nodes)
		}
		if n := published.Load(); n > 500 {
			t.Errorf("%d changes within %v made %d snapshots", nodes, nodes/10*time.Millisecond, n)
		}
	})
}

// What happens to a node of such a service several times within a moment comes to
// what happened last.
func TestManyChangesComeToTheLast(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		s.cause = feed.Vanished
		var rest []string
		for i := range 2000 {
			rest = append(rest, fmt.Sprintf("n%04d", i))
		}
		with := func(more ...string) string { return strings.Join(append(more, rest...), " ") }
		d.Lookup("s")
		sink := s.sink("s")
		sink.Update(viewOf("s", with("van1", "van2", "del1"), ""))
		for range 3 { // all within the pause
			sink.Update(viewOf("s", with("van2"), "van1 del1"))
			sink.Update(viewOf("s", with("van1", "van2", "del1"), ""))
		}
		sink.Update(viewOf("s", with("van2"), "van1 del1"))
		if n := len(d.Lookup("s").Nodes); n != 2003 {
			t.Errorf("%d nodes are known within the pause, want those of before it", n)
		}
		pass(publishInterval(2003))
		synctest.Wait()
		got := d.Lookup("s")
		if len(got.Nodes) != 2001 || len(got.Suspects) != 1 || got.Suspects[0].Id != "van1" {
			t.Errorf("%d nodes and suspects %+v, want 2001 and van1 once", len(got.Nodes), got.Suspects)
		}
	})
}

func TestNodes(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("s")
		u := viewOf("s", "a b", "")
		s.sink("s").Update(u)
		u = viewOf("s", "b", "a")
		u.Gap = true
		s.sink("s").Update(u)
		var got []string
		for _, n := range d.Nodes {
			got = append(got, n.Address)
		}
		if !slices.Equal(got, []string{"b:1", "a:1"}) {
			t.Fatalf("nodes at %q", got)
		}
	})
}

func TestClose(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		waited := make(chan error)
		go func() {
			_, err := d.Wait(t.Context(), "a")
			waited <- err
		}()
		synctest.Wait()
		d.Close()
		if err := <-waited; !errors.Is(err, ErrClosed) {
			t.Fatalf("the waiting one got %v", err)
		}
		if s.sink("a") != nil {
			t.Fatal("still followed")
		}
		if got := d.Lookup("b"); !errors.Is(got.Err, ErrClosed) || !got.Fatal {
			t.Fatalf("lookup: %+v", got)
		}
	})
}

// What somebody has to mend ends the wait for a name of which nothing was ever
// known: a refusal at once, a mismatch after half a second, which counts from its begin.
func TestWaitEndsWithARefusal(t *testing.T) {
	for _, tt := range []struct {
		kind  refusal.Kind
		first time.Duration // what the first wait takes
	}{
		{refusal.Login, 0}, {refusal.Right, 0}, {refusal.Mismatch, 500 * time.Millisecond}, {refusal.None, time.Minute},
	} {
		run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
			d.Lookup("a")
			cause := refusal.Mark(tt.kind, errors.New("no"))
			s.sink("a").Status(down(cause))
			for i, want := range []time.Duration{tt.first, 0} {
				if tt.kind == refusal.None {
					want = time.Minute
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				begun := time.Now()
				_, err := d.Wait(ctx, "a")
				if took := time.Since(begun); !errors.Is(err, cause) || took != want {
					t.Errorf("kind %d, wait %d: %v after %v, want %v", tt.kind, i, err, took, want)
				}
				cancel()
			}
			// Once it is mended, nobody is sent away.
			s.sink("a").Update(viewOf("a", "1", ""))
			if got, err := d.Wait(t.Context(), "a"); err != nil || len(got.Nodes) != 1 {
				t.Errorf("kind %d: %+v, %v", tt.kind, got, err)
			}
			s.sink("a").Status(down(cause))
			if got, err := d.Wait(t.Context(), "a"); err != nil || len(got.Nodes) != 1 {
				t.Errorf("kind %d: what is known is not served: %v", tt.kind, err)
			}
		})
	}
}

// A mismatch that passes while it is waited for was none.
func TestWaitBearsAMismatchThatPasses(t *testing.T) {
	run(t, Options{}, func(t *testing.T, s *source, d *Directory) {
		d.Lookup("a")
		s.sink("a").Status(down(refusal.Mark(refusal.Mismatch, errors.New("no such host"))))
		waited := make(chan error, 1)
		go func() { _, err := d.Wait(t.Context(), "a"); waited <- err }()
		pass(400 * time.Millisecond)
		s.sink("a").Status(down(errors.New("connection refused")))
		pass(time.Minute)
		s.sink("a").Update(viewOf("a", "1", ""))
		if err := <-waited; err != nil {
			t.Error(err)
		}
	})
}
