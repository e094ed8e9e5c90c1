package feed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// foreign is a registry as a user would write it, with switches for its faults.
type foreign struct {
	registry.Registry // for the methods that are not called

	mu        sync.Mutex
	services  []*registry.Service
	namesOnly bool
	getErr    error
	watchErr  error
	hang      chan struct{} // Watch, if not nil, returns when it is closed
	reading   func()        // called by every GetService, after it made its answer
	watchers  []*watcher
	watches   int
	reads     int
}

type watcher struct {
	results chan *registry.Result
	broken  chan error
	stop    chan struct{}
	once    sync.Once
}

func (w *watcher) Next() (*registry.Result, error) {
	select {
	case r := <-w.results:
		return r, nil
	case err := <-w.broken:
		return nil, err
	case <-w.stop:
		return nil, registry.ErrWatcherStopped
	}
}

func (w *watcher) Stop() { w.once.Do(func() { close(w.stop) }) }

func (f *foreign) GetService(name string, _ ...registry.GetOption) ([]*registry.Service, error) {
	f.mu.Lock()
	f.reads++
	var out []*registry.Service
	for _, s := range f.services {
		if s.Name == name {
			out = append(out, s)
		}
	}
	err, reading := f.getErr, f.reading
	f.mu.Unlock()
	if reading != nil {
		reading()
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no luck: %w", registry.ErrNotFound)
	}
	return out, nil
}

func (f *foreign) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if !f.namesOnly {
		return f.services, f.getErr
	}
	var out []*registry.Service
	for _, s := range f.services {
		out = append(out, &registry.Service{Name: s.Name})
	}
	return out, f.getErr
}

func (f *foreign) Watch(...registry.WatchOption) (registry.Watcher, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watches++
	if f.watchErr != nil {
		return nil, f.watchErr
	}
	w := &watcher{results: make(chan *registry.Result, 10), broken: make(chan error), stop: make(chan struct{})}
	f.watchers = append(f.watchers, w)
	if hang := f.hang; hang != nil {
		f.mu.Unlock()
		<-hang
		f.mu.Lock()
	}
	return w, nil
}

func (f *foreign) set(change func(*foreign)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *foreign) last() *watcher {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watchers[len(f.watchers)-1]
}

// sink writes down what it is given, one line each.
type sink struct {
	mu    sync.Mutex
	lines []string
}

func (s *sink) Update(u feed.Update) {
	line := "view " + outline(u.Services)
	if u.Gap {
		line += " after a gap"
	}
	for _, d := range u.Departed {
		line += " without " + d.Service + "/" + d.Node.Id
	}
	s.add(line)
}

func (s *sink) Status(st feed.Status) {
	if st.Live {
		s.add("live")
		return
	}
	s.add("not live: " + st.Err.Error())
}

func (s *sink) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

// got waits until everybody waits and checks what has come since the last time.
func (s *sink) got(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the sink got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	s.lines = nil
}

// one makes a record from "name version node address".
func one(text string) *registry.Service {
	f := strings.Fields(text)
	return &registry.Service{Name: f[0], Version: f[1], Nodes: []*registry.Node{{Id: f[2], Address: f[3]}}}
}

func outline(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		for _, n := range s.Nodes {
			out = append(out, s.Name+"@"+s.Version+"/"+n.Id+"="+n.Address)
		}
	}
	return "[" + strings.Join(out, " ") + "]"
}

// adapted runs test in a bubble while the registry is followed.
func adapted(t *testing.T, name string, f *foreign, test func(t *testing.T, s *sink)) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- feed.Of(f).Follow(ctx, name, s) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Follow returned %v", err)
			}
		}()
		test(t, s)
	})
}

func after(d time.Duration) { <-time.NewTimer(d).C }

func TestAdaptAppliesEvents(t *testing.T) {
	f := &foreign{services: []*registry.Service{one("s 1 a h:1"), one("other 1 x h:9")}}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view [s@1/a=h:1]", "live")
		w := f.last()
		for _, step := range []struct {
			action, record string
			want           []string
		}{
			{"create", "s 1 b h:2", []string{"view [s@1/a=h:1 s@1/b=h:2]"}},
			{"create", "s 1 b h:2", nil}, // mdns repeats itself
			{"update", "s 1 a h:3", []string{"view [s@1/a=h:3 s@1/b=h:2]"}},
			{"update", "s 2 a h:3", []string{"view [s@1/b=h:2 s@2/a=h:3]"}},
			{"delete", "s 1 a h:3", nil}, // consul says the old version went
			{"create", "neighbour 1 a h:3", nil},
			{"delete", "s 2 a h:3", []string{"view [s@1/b=h:2] without s/a"}},
		} {
			w.results <- &registry.Result{Action: step.action, Service: one(step.record)}
			s.got(t, step.want...)
		}
		for _, odd := range []*registry.Result{
			nil, {Action: "create"}, {Action: "create", Service: &registry.Service{}},
			{Action: "create", Service: &registry.Service{Name: "s", Nodes: []*registry.Node{nil}}},
			{Action: "delete", Service: &registry.Service{Name: "s", Version: "1", Nodes: []*registry.Node{nil}}},
		} {
			w.results <- odd
			s.got(t)
		}
		w.results <- &registry.Result{Action: "delete", Service: &registry.Service{Name: "s"}}
		s.got(t, "view [] without s/b")
	})
}

func TestAdaptUnknownIsEmptyAndErrorIsNot(t *testing.T) {
	f := &foreign{}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view []", "live")
	})
	f = &foreign{getErr: errors.New("backend away")}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, `not live: look up "s": backend away`)
		after(time.Minute)
		s.got(t) // said once
		f.set(func(f *foreign) { f.getErr, f.services = nil, []*registry.Service{one("s 1 a h:1")} })
		after(5 * time.Second)
		s.got(t, "view [s@1/a=h:1]", "live")
	})
}

func TestAdaptListsAgainWhenTheWatchBreaks(t *testing.T) {
	f := &foreign{services: []*registry.Service{one("s 1 a h:1"), one("s 1 b h:2")}}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view [s@1/a=h:1 s@1/b=h:2]", "live")
		f.set(func(f *foreign) {
			f.services = []*registry.Service{one("s 1 b h:2"), one("s 1 c h:3")}
			f.getErr = errors.New("backend away")
		})
		old := f.last()
		old.broken <- errors.New("cut")
		s.got(t, `not live: watch "s": cut`)
		after(5 * time.Second)
		s.got(t, `not live: look up "s": backend away`)
		f.set(func(f *foreign) { f.getErr = nil })
		after(5 * time.Second)
		s.got(t, "view [s@1/b=h:2 s@1/c=h:3] after a gap without s/a", "live")
		select {
		case <-old.stop:
		default:
			t.Error("the broken watcher was not stopped")
		}
	})
}

func TestAdaptReadsAgainFromTimeToTime(t *testing.T) {
	f := &foreign{services: []*registry.Service{one("s 1 a h:1")}}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view [s@1/a=h:1]", "live")
		f.set(func(f *foreign) { f.services = nil }) // the watcher does not say
		after(29 * time.Second)
		s.got(t)
		after(31 * time.Second)
		s.got(t, "view [] after a gap without s/a")
	})
}

func TestAdaptKeepsEventsThatComeWhileItReads(t *testing.T) {
	f := &foreign{services: []*registry.Service{one("s 1 a h:1")}}
	f.reading = func() {
		f.last().results <- &registry.Result{Action: "create", Service: one("s 1 b h:2")}
		f.last().results <- &registry.Result{Action: "delete", Service: one("s 1 a h:1")}
		f.set(func(f *foreign) { f.reading = nil })
		after(time.Millisecond)
	}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		after(time.Second)
		s.got(t, "view [s@1/b=h:2]", "live")
	})
}

func TestAdaptWithoutWatch(t *testing.T) {
	f := &foreign{services: []*registry.Service{one("s 1 a h:1")}, watchErr: errors.New("cannot watch")}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view [s@1/a=h:1]", `not live: watch "s": cannot watch`)
		f.set(func(f *foreign) { f.services = []*registry.Service{one("s 1 a h:2")} })
		after(5 * time.Second)
		s.got(t, "view [s@1/a=h:2] after a gap")
	})
}

func TestAdaptAll(t *testing.T) {
	for _, namesOnly := range []bool{false, true} {
		f := &foreign{services: []*registry.Service{one("s 1 a h:1"), one("s 2 b h:2"), one("r 1 c h:3")}, namesOnly: namesOnly}
		adapted(t, "", f, func(t *testing.T, s *sink) {
			s.got(t, "view [r@1/c=h:3 s@1/a=h:1 s@2/b=h:2]", "live")
			f.last().results <- &registry.Result{Action: "delete", Service: one("r 1 c h:3")}
			s.got(t, "view [s@1/a=h:1 s@2/b=h:2] without r/c")
		})
	}
}

func TestAdaptDoesNotWaitForARegistryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &foreign{hang: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- feed.Adapt(f).Follow(ctx, "s", &sink{}) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Follow returned %v", err)
		}
		close(f.hang)
		synctest.Wait()
		select {
		case <-f.last().stop:
		default:
			t.Error("the watcher that came too late was not stopped")
		}
	})
}

func TestAdaptCopies(t *testing.T) {
	shared := one("s 1 a h:1")
	f := &foreign{services: []*registry.Service{shared}}
	adapted(t, "s", f, func(t *testing.T, s *sink) {
		s.got(t, "view [s@1/a=h:1]", "live")
		shared.Nodes[0].Address = "h:2"
		f.last().results <- &registry.Result{Action: "create", Service: one("s 1 b h:2")}
		s.got(t, "view [s@1/a=h:1 s@1/b=h:2]")
	})
}

func TestOf(t *testing.T) {
	native := &struct {
		foreign
		feed.Source
	}{}
	if feed.Of(native) != feed.Source(native) {
		t.Error("a Source was adapted")
	}
}
