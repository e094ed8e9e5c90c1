package history

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var bounds = Bounds{Lag: time.Second, Slack: 10 * time.Millisecond}

// told is one revision on its way to an observer.
type told struct {
	after  time.Duration // since the start
	rev    int64
	gap    bool
	events []Event
	wiped  bool // the store begins anew, without events
}

// story makes a history of n revisions, one every 100 ms, of which some have
// several events, with a wipe in the middle.
func story(seed uint64, n int) []told {
	random := rand.New(rand.NewPCG(seed, seed))
	present := map[string]bool{}
	var out []told
	rev := int64(0)
	for i := range n {
		at := time.Duration(i+1) * 100 * time.Millisecond
		if i == n/2 {
			out = append(out, told{after: at, wiped: true, gap: true})
			present, rev = map[string]bool{}, 0
			continue
		}
		rev++
		var events []Event
		for _, k := range random.Perm(6)[:1+random.IntN(3)] {
			key := fmt.Sprintf("k%d", k)
			if present[key] && random.IntN(2) == 0 {
				events = append(events, Event{Key: key, Deleted: true})
				delete(present, key)
			} else {
				events = append(events, Event{Key: key, Value: fmt.Sprintf("v%d", i)})
				present[key] = true
			}
		}
		out = append(out, told{after: at, rev: rev, gap: i == n/2+1, events: events})
	}
	return out
}

// run tells a story to a log, and to a view and a stream what mutate leaves of it.
func run(original []told, mutate func([]told) []told) Findings {
	began := time.Now()
	l := NewLog(began)
	view, stream := l.View("view", nil), l.Stream("stream", nil)
	view.Observe(began, 0, true, State{})
	for _, s := range original {
		if s.wiped {
			l.Wiped(began.Add(s.after))
			l.Disturbed(began.Add(s.after-time.Millisecond), began.Add(s.after+150*time.Millisecond), time.Millisecond)
			continue
		}
		l.Commit(s.rev, began.Add(s.after), s.events...)
	}
	state := State{}
	states := map[int64]State{} // by revision
	var last time.Time
	for _, s := range mutate(original) {
		last = began.Add(s.after + time.Millisecond)
		if s.wiped {
			for key := range state {
				stream.Observe(last, Event{Key: key, Deleted: true})
			}
			state, states = State{}, map[int64]State{}
			continue
		}
		if states[s.rev] != nil { // again
			view.Observe(last, s.rev, s.gap, states[s.rev])
			stream.Observe(last, s.events[0])
			continue
		}
		for _, e := range s.events {
			if e.Deleted {
				delete(state, e.Key)
			} else {
				state[e.Key] = e.Value
			}
			stream.Observe(last, e)
		}
		states[s.rev] = maps.Clone(state)
		view.Observe(last, s.rev, s.gap, states[s.rev])
	}
	return l.Check(began.Add(original[len(original)-1].after+5*time.Second), bounds)
}

func TestSoundObserversPass(t *testing.T) {
	for seed := range uint64(20) {
		f := run(story(seed, 100), func(s []told) []told { return s })
		for _, v := range f.Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
		if f.Events < 100 {
			t.Errorf("seed %d: only %d events were checked", seed, f.Events)
		}
	}
}

// each changes every revision by f.
func each(f func(*told)) func([]told) []told {
	return func(in []told) (out []told) {
		for _, s := range in {
			f(&s)
			out = append(out, s)
		}
		return out
	}
}

func TestFaultyObserversAreCaught(t *testing.T) {
	for _, tc := range []struct {
		name         string
		mutate       func([]told) []told
		view, stream string // what is said of each; "-" for nothing
	}{
		{"the first event of a revision alone", each(func(s *told) {
			if len(s.events) > 1 {
				s.events = s.events[:1]
			}
		}), "not the fold", "was not told of"},
		{"a lost delete", func(in []told) []told {
			lost := false
			return each(func(s *told) {
				for i, e := range s.events {
					if e.Deleted && !lost {
						lost = true
						s.events = append(append([]Event(nil), s.events[:i]...), s.events[i+1:]...)
						return
					}
				}
			})(in)
		}, "not the fold", "was not told of delete"},
		{"trust in a silent resume", func(in []told) (out []told) {
			// After the wipe nothing comes until the revisions are past those before.
			var high int64
			wiped := false
			for _, s := range in {
				if s.wiped {
					wiped = true
					continue
				}
				s.gap = false
				if !wiped {
					high = s.rev
				} else if s.rev <= high {
					continue
				}
				out = append(out, s)
			}
			return out
		}, "out of date", "was not told of"},
		{"a step back", func(in []told) []told {
			return append(in[:len(in):len(in)], in[len(in)-2])
		}, "went back", "never happened, or not after"},
		{"an event told twice", each(func(s *told) { s.events = append(s.events[:len(s.events):len(s.events)], s.events...) }), "-", "never happened, or not after"},
		{"an event of another store", each(func(s *told) {
			if s.rev == 10 {
				s.events = append(s.events[:len(s.events):len(s.events)], Event{Key: "alien", Value: "x"})
			}
		}), "not the fold", "never happened"},
		{"a revision left out", func(in []told) []told {
			merged := in[6]
			merged.events = append(append([]Event(nil), in[5].events...), merged.events...)
			return append(append(in[:5:5], merged), in[7:]...)
		}, "without a gap", "-"},
		{"a late end", each(func(s *told) { s.after += 3 * time.Second }), "out of date", "-"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			original := story(1, 100)
			if sound := run(original, func(s []told) []told { return s }); len(sound.Violations) > 0 {
				t.Fatalf("before the mutation: %v", sound.Violations)
			}
			f := run(original, tc.mutate)
			for observer, want := range map[string]string{"view": tc.view, "stream": tc.stream} {
				said := ""
				for _, v := range f.Violations {
					if v.Observer == observer {
						said += v.What + "\n"
					}
				}
				if want == "-" && said != "" || want != "-" && !strings.Contains(said, want) {
					t.Errorf("of the %s it was said:\n%swant: %q", observer, said, want)
				}
			}
		})
	}
}

func TestLookups(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	l := NewLog(began)
	l.Commit(1, at(100), Event{Key: "a", Value: "1"})
	l.Commit(2, at(200), Event{Key: "a", Value: "2"})
	for _, tc := range []struct {
		called, answered int
		state            State
		sound            bool
	}{
		{50, 60, State{}, true},
		{50, 60, State{"a": "1"}, false},  // before it was written
		{50, 95, State{"a": "1"}, true},   // the recorder heard of it later
		{150, 160, State{"a": "1"}, true}, //
		{150, 250, State{"a": "1"}, true}, // of the beginning
		{150, 250, State{"a": "2"}, true}, // of the end
		{250, 260, State{"a": "1"}, false},
		{250, 260, State{}, false},
	} {
		l.lookups = nil
		l.Lookup("read", nil, at(tc.called), at(tc.answered), tc.state)
		f := l.Check(at(300), bounds)
		if sound := len(f.Violations) == 0; sound != tc.sound {
			t.Errorf("%v read between %d and %d ms: %v", tc.state, tc.called, tc.answered, f.Violations)
		}
	}
}

func TestNeighboursAreNotLookedAt(t *testing.T) {
	began := time.Now()
	l := NewLog(began)
	mine := func(key string) bool { return strings.HasPrefix(key, "s/") }
	view, stream := l.View("view", mine), l.Stream("stream", mine)
	view.Observe(began, 0, true, State{})
	l.Commit(1, began.Add(time.Millisecond), Event{Key: "other", Value: "1"})
	l.Commit(2, began.Add(2*time.Millisecond), Event{Key: "s/a", Value: "1"}, Event{Key: "other", Deleted: true})
	view.Observe(began.Add(3*time.Millisecond), 2, false, State{"s/a": "1"})
	stream.Observe(began.Add(3*time.Millisecond), Event{Key: "s/a", Value: "1"})
	if f := l.Check(began.Add(time.Second), bounds); len(f.Violations) > 0 {
		t.Error(f.Violations)
	}
	view.Observe(began.Add(4*time.Millisecond), 2, false, State{"s/a": "1", "other": "1"})
	if f := l.Check(began.Add(time.Second), bounds); len(f.Violations) == 0 {
		t.Error("a neighbour in the view was not found")
	}
}

func TestAViewThatSawNothing(t *testing.T) {
	l := NewLog(time.Now())
	l.View("blind", nil)
	if f := l.Check(time.Now(), bounds); len(f.Violations) != 1 {
		t.Errorf("%v, want one violation", f.Violations)
	}
}

func TestSavedHistory(t *testing.T) {
	began := time.Now()
	l := NewLog(began)
	view, stream := l.View("view", nil), l.Stream("watcher", nil)
	l.Commit(1, began.Add(time.Millisecond), Event{Key: "a", Value: "1"})
	l.Disturbed(began.Add(2*time.Millisecond), began.Add(4*time.Millisecond), time.Second)
	view.Observe(began.Add(3*time.Millisecond), 7, true, State{"b": "2", "a": "1"})
	stream.Observe(began.Add(5*time.Millisecond), Event{Key: "a", Deleted: true})
	l.Lookup("lookup of a", nil, began.Add(6*time.Millisecond), began.Add(7*time.Millisecond), State{})
	var out strings.Builder
	if err := l.Save(&out, l.Check(began.Add(time.Second), bounds)); err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{
		"violation  view: ", "1ms  store      epoch 0, revision 1: [a = 1]", "2ms  disturbed  begins", "3ms  saw        view: revision 7, gap: [a=1 b=2]",
		"4ms  disturbed  ends", "5ms  saw        watcher: delete of a", "7ms  lookup     lookup of a, asked 1ms before: []",
	} {
		i := strings.Index(out.String()[at:], want)
		if i < 0 {
			t.Fatalf("no %q, or not in its place, in\n%s", want, out.String())
		}
		at += i
	}
}
