package multi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/watch"
	"github.com/rollcall-go/micro/registry"
)

// sink writes down what it is given, one line each.
type sink struct {
	mu    sync.Mutex
	lines []string
	view  []*registry.Service
}

func (s *sink) Update(u feed.Update) {
	line := "view [" + outline(u.Services) + "]"
	for _, d := range u.Departed {
		line += " without " + d.Node.Id + ", " + d.Cause.String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.view = append(s.lines, line), u.Services
}

func (s *sink) Status(st feed.Status) {
	line := "live"
	if !st.Live {
		line = fmt.Sprintf("not live: %v", st.Err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.lines); n == 0 || s.lines[n-1] != line { // another time alone
		s.lines = append(s.lines, line)
	}
}

// got waits until everybody waits and checks what has come since the last time, in any
// order: the members are independent of one another.
func (s *sink) got(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.lines)
	slices.Sort(want)
	if got := strings.Join(s.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the sink got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	s.lines = nil
}

// follow has s supplied until the test ends.
func follow(t *testing.T, m *multi, name string, s *sink) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Follow(ctx, name, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Follow returned %v", err)
		}
	})
}

func put(t *testing.T, f *fake, text string, opts ...registry.RegisterOption) {
	t.Helper()
	if err := f.Registry.Register(one(text), opts...); err != nil {
		t.Fatal(err)
	}
}

func drop(t *testing.T, f *fake, text string) {
	t.Helper()
	if err := f.Registry.Deregister(one(text)); err != nil {
		t.Fatal(err)
	}
}

func TestFollowMerges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		m := open(t, kept{a}, kept{b})
		var s sink
		follow(t, m, "s", &s)
		s.got(t, "view []", "live")
		put(t, b, "s 1 n b:1")
		s.got(t, "view [s@1/n=b:1]")
		put(t, a, "s 1 n a:1")
		s.got(t, "view [s@1/n=a:1]") // the first member counts
		put(t, b, "s 2 n b:2")
		s.got(t)
		drop(t, a, "s 1 n a:1")
		s.got(t, "view [s@2/n=b:2]")
		put(t, b, "s 2 n b:2", registry.RegisterTTL(time.Minute))
		<-time.NewTimer(time.Minute).C
		s.got(t, "view [] without n, expired")
		put(t, a, "s 1 n a:1", registry.RegisterTTL(time.Second))
		put(t, b, "s 1 n a:1")
		s.got(t, "view [s@1/n=a:1]")
		drop(t, b, "s 1 n a:1")
		<-time.NewTimer(time.Second).C
		s.got(t, "view [] without n, deleted") // it was told a second ago
	})
}

// TestACauseIsThatOfThisTime lets a node come back and crash soon after it was
// deregistered.
func TestACauseIsThatOfThisTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		m := open(t, kept{a}, kept{b})
		var s sink
		follow(t, m, "s", &s)
		synctest.Wait()
		put(t, a, "s 1 n h:1")
		put(t, b, "s 1 n h:1")
		s.got(t, "view []", "live", "view [s@1/n=h:1]")
		drop(t, b, "s 1 n h:1")
		drop(t, a, "s 1 n h:1")
		s.got(t, "view [] without n, deleted")
		put(t, a, "s 1 n h:1", registry.RegisterTTL(time.Second))
		s.got(t, "view [s@1/n=h:1]")
		<-time.NewTimer(time.Second).C
		s.got(t, "view [] without n, expired")
	})
}

// TestNeverAFalseEmpty has a member that is away: its nodes stay, and that nothing is
// there is not said before it has answered.
func TestNeverAFalseEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		put(t, a, "s 1 n a:1")
		put(t, b, "s 1 n b:1")
		m := open(t, kept{a}, kept{b})
		a.set(fails)
		var s, other, all sink
		follow(t, m, "s", &s)
		follow(t, m, "other", &other)
		follow(t, m, "", &all)
		s.got(t, "view [s@1/n=b:1]", "not live: a: away")
		other.got(t, "not live: a: away")
		all.got(t, "view [s@1/n=b:1]", "not live: a: away")
		a.set(up)
		s.got(t, "view [s@1/n=a:1]", "live")
		other.got(t, "view []", "live")
		put(t, a, "s 1 m a:2")
		s.got(t, "view [s@1/m=a:2 s@1/n=a:1]")
		a.set(fails)
		s.got(t, "view [s@1/m=a:2 s@1/n=b:1]", "not live: a: away") // b is in touch, and counts
		drop(t, b, "s 1 n b:1")
		s.got(t, "view [s@1/m=a:2 s@1/n=a:1]")
	})
}

func TestFollowEndsWithTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := open(t, kept{newFake(t, "a")}, kept{newFake(t, "b")})
		ended := make(chan error, 1)
		var s sink
		go func() { ended <- m.Follow(t.Context(), "s", &s) }()
		s.got(t, "view []", "live")
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, registry.ErrClosed) {
			t.Errorf("Follow returned %v", err)
		}
	})
}

// resolving is a member that knows why nodes left.
type resolving struct{ kept }

func (resolving) Resolve(_ context.Context, gone []feed.Departure) ([]feed.Cause, error) {
	causes := make([]feed.Cause, len(gone))
	for i, d := range gone {
		if d.Token == "why" {
			causes[i] = feed.Deleted
		}
	}
	return causes, nil
}

func (r resolving) Follow(ctx context.Context, name string, sink feed.Sink) error {
	<-ctx.Done()
	return nil
}

func TestResolveAsksTheMember(t *testing.T) {
	m := open(t, kept{newFake(t, "a")}, resolving{kept{newFake(t, "b")}})
	causes, err := m.Resolve(t.Context(), []feed.Departure{
		{Token: token{1, "why"}}, {Cause: feed.Vanished, Token: token{0, "why"}}, {Cause: feed.Expired},
	})
	if err != nil || fmt.Sprint(causes) != "[deleted vanished expired]" {
		t.Errorf("got %v, %v", causes, err)
	}
}

// TestRandomChangesOfMembers changes the members at random and compares the view that
// is followed with what each member holds, or held when it was last there.
func TestRandomChangesOfMembers(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			members := []*fake{newFake(t, "a"), newFake(t, "b"), newFake(t, "c")}
			m := open(t, kept{members[0]}, kept{members[1]}, kept{members[2]})
			var s sink
			follow(t, m, "", &s)
			s.got(t, "view []", "live")
			known := make([][]*registry.Service, len(members))
			away := make([]bool, len(members))
			for step := range 150 {
				i := random.IntN(len(members))
				text := fmt.Sprintf("%c %d n%d h:%d", 's'+rune(random.IntN(2)), random.IntN(2), random.IntN(3), step)
				switch random.IntN(6) {
				case 0, 1, 2:
					put(t, members[i], text)
				case 3, 4:
					drop(t, members[i], text)
				default:
					away[i] = !away[i]
					members[i].set(map[bool]mode{true: fails, false: up}[away[i]])
				}
				synctest.Wait()
				for i, f := range members {
					if !away[i] {
						services, err := f.Registry.ListServices()
						if err != nil {
							t.Fatal(err)
						}
						known[i] = services
					}
				}
				want := modelOf(known, away)
				s.mu.Lock()
				got := outline(s.view)
				s.mu.Unlock()
				if got != want {
					t.Fatalf("seed %d, step %d: the view is\n%s\nwant\n%s", seed, step, got, want)
				}
			}
		})
	}
}

// modelOf says what the view of the members is to be, in the plainest way.
func modelOf(known [][]*registry.Service, away []bool) string {
	var v record.View
	for _, outOfTouch := range []bool{true, false} {
		for i := len(known) - 1; i >= 0; i-- {
			for _, s := range known[i] {
				for _, one := range record.Split(s) {
					if away[i] == outOfTouch {
						v.Set(one)
					}
				}
			}
		}
	}
	return outline(v.Services())
}

// TestRandomChangesAreWatched folds what a Watcher says and compares it with what is
// found.
func TestRandomChangesAreWatched(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			members := []*fake{newFake(t, "a"), newFake(t, "b")}
			m := open(t, kept{members[0]}, kept{members[1]})
			w, err := m.Watch()
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var v record.View
			var reading sync.WaitGroup
			reading.Go(func() {
				for {
					result, err := w.Next()
					if err != nil {
						return
					}
					mu.Lock()
					there := v.Get(idOf(result.Service)) != nil
					if there == (result.Action == registry.Create.String()) {
						t.Errorf("%s of %s, which was there: %v", result.Action, outline([]*registry.Service{result.Service}), there)
					}
					feed.Apply(&v, "", result)
					mu.Unlock()
				}
			})
			for step := range 100 {
				f := members[random.IntN(len(members))]
				text := fmt.Sprintf("%c %d n%d h:%d", 's'+rune(random.IntN(2)), random.IntN(2), random.IntN(3), step)
				if random.IntN(5) < 3 {
					put(t, f, text)
				} else {
					drop(t, f, text)
				}
				if random.IntN(3) > 0 {
					continue // several at once
				}
				<-time.NewTimer(2 * catchUp).C
				synctest.Wait()
				want, err := m.ListServices()
				if err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				if got := outline(v.Services()); got != outline(want) {
					t.Fatalf("seed %d, step %d: watched\n%s\nfound\n%s", seed, step, got, outline(want))
				}
				mu.Unlock()
			}
			w.Stop()
			reading.Wait()
		})
	}
}

// TestWatchWithAMemberThatIsAway reports what that member has once it is back.
func TestWatchWithAMemberThatIsAway(t *testing.T) {
	for _, away := range []mode{fails, hangs} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newFake(t, "a"), newFake(t, "b")
			put(t, a, "s 1 n a:1")
			a.set(away)
			m := open(t, kept{a}, kept{b})
			begun := time.Now()
			w, err := m.Watch()
			if err != nil || time.Since(begun) > grace {
				t.Fatalf("%v after %v", err, time.Since(begun))
			}
			defer w.Stop()
			put(t, b, "s 1 m b:1")
			if r, err := w.Next(); err != nil || outline([]*registry.Service{r.Service}) != "s@1/m=b:1" {
				t.Errorf("got %+v, %v", r, err)
			}
			if away == hangs {
				return // until its context is done, as that of a watch is not
			}
			a.set(up)
			if r, err := w.Next(); err != nil || r.Action != "create" || outline([]*registry.Service{r.Service}) != "s@1/n=a:1" {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestWatchFailsIfAllMembersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t, "a"), newFake(t, "b")
		a.set(fails)
		b.set(fails)
		m := open(t, kept{a}, kept{b})
		if w, err := m.Watch(); w != nil || err == nil || !strings.Contains(err.Error(), "a: away") || !strings.Contains(err.Error(), "b: away") {
			t.Errorf("got %v, %v", w, err)
		}
	})
}

// TestAMemberThatIsBehindIsNoNews has one member tell late what the other one has told
// before.
func TestAMemberThatIsBehindIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{merge: newMerge(2), begun: true}
		w.merge.past, w.merge.doubts = make(map[record.ID][]*registry.Service), make(map[record.ID]bool)
		w.Queue = watch.NewQueue(nil)
		defer w.Stop()
		says := func(member int, action, text string) {
			w.change(func() []record.ID {
				return feed.Apply(&w.merge.known[member].view, "", &registry.Result{Action: action, Service: one(text)})
			})
		}
		sees := func(all ...string) {
			t.Helper()
			for _, want := range all {
				result, err := w.Next()
				if err != nil {
					t.Fatal(err)
				}
				if got := result.Action + " " + outline([]*registry.Service{result.Service}); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		}
		for _, text := range []string{"s 1 n h:1", "s 1 n h:2", "s 2 n h:2"} {
			says(1, "update", text)
		}
		for _, text := range []string{"s 1 n h:1", "s 1 n h:2", "s 2 n h:2"} {
			says(0, "update", text)
		}
		sees("create s@1/n=h:1", "update s@1/n=h:2", "update s@2/n=h:2")
		begun := time.Now()
		says(0, "update", "s 1 n h:1") // and both go back
		says(1, "update", "s 1 n h:1")
		sees("update s@1/n=h:1")
		if took := time.Since(begun); took != catchUp {
			t.Errorf("believed after %v", took)
		}
		// It leaves one while the other has yet to hear of the update.
		says(0, "update", "s 1 n h:3")
		says(0, "delete", "s 1 n h:3")
		says(1, "update", "s 1 n h:3")
		says(1, "delete", "s 1 n h:3")
		sees("update s@1/n=h:3", "delete s@1/n=h:3")
	})
}
