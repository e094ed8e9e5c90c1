package memory

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/reader/json"
	"github.com/rollcall-go/micro/config/source"
	memsource "github.com/rollcall-go/micro/config/source/memory"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func of(text string) *source.ChangeSet { return &source.ChangeSet{Format: "json", Data: []byte(text)} }

// source of the program, with the method that NewSource promises.
type filled interface {
	source.Source
	Update(*source.ChangeSet)
}

func filledWith(text string) filled {
	return memsource.NewSource(memsource.WithJSON([]byte(text))).(filled)
}

func text(t *testing.T, l loader.Loader) string {
	t.Helper()
	s, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(s.ChangeSet.Data)
}

func closed(t *testing.T, l loader.Loader) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestLaterSourcesWinWhateverChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low, high := filledWith(`{"a":1,"b":1}`), filledWith(`{"b":2}`)
		l := NewLoader(WithSource(low))
		defer closed(t, l)
		if err := l.Load(high); err != nil {
			t.Fatal(err)
		}
		low.Update(of(`{"a":5,"b":5}`))
		synctest.Wait()
		if got := text(t, l); got != `{"a":5,"b":2}` {
			t.Errorf("got %s", got)
		}
		if err := l.Load(low); err != nil {
			t.Fatal(err)
		}
		if got := text(t, l); got != `{"a":5,"b":2}` {
			t.Errorf("a source that was loaded twice left its place: %s", got)
		}
	})
}

func TestWhatCannotBeReadKeepsWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other := filledWith(`{"a":1}`), filledWith(`{"o":1}`)
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(s, other); err != nil {
			t.Fatal(err)
		}
		s.Update(of(`{"a":`))
		synctest.Wait()
		other.Update(of(`{"o":2}`))
		synctest.Wait()
		if got := text(t, l); got != `{"a":1,"o":2}` {
			t.Errorf("beside a broken source: %s", got)
		}
		if err := l.Sync(); err == nil || !strings.Contains(err.Error(), "line 1, column 5") {
			t.Errorf("Sync: %v", err)
		}
		s.Update(of(`{"a":3}`))
		synctest.Wait()
		if got := text(t, l); got != `{"a":3,"o":2}` {
			t.Errorf("after it healed: %s", got)
		}
	})
}

// faulty is a source whose reading fails or blocks while it is told to.
type faulty struct {
	filled
	mu    sync.Mutex
	err   error
	block chan struct{}
}

func (f *faulty) Read() (*source.ChangeSet, error) {
	f.mu.Lock()
	err, block := f.err, f.block
	f.mu.Unlock()
	if block != nil {
		<-block
	}
	if err != nil {
		return nil, err
	}
	return f.filled.Read()
}

func (f *faulty) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func TestLoadHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &faulty{filled: filledWith(`{"slow":true}`), block: make(chan struct{})}
		l := NewLoader()
		defer closed(t, l)
		begun := time.Now()
		err := l.Load(slow, filledWith(`{"fast":true}`))
		if took := time.Since(begun); err == nil || !strings.Contains(err.Error(), "no answer within 5s") || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if got := text(t, l); got != `{"fast":true}` {
			t.Errorf("beside a slow source: %s", got)
		}
		close(slow.block)
		synctest.Wait()
		if got := text(t, l); got != `{"fast":true,"slow":true}` {
			t.Errorf("the source answered: %s", got)
		}
	})
}

func TestASourceThatCannotBeReadJoinsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &faulty{filled: filledWith(`{"a":1}`), err: errors.New("away")}
		l := NewLoader(WithTimeout(time.Second))
		defer closed(t, l)
		if err := l.Load(s); err == nil || err.Error() != `load source "memory": away` {
			t.Error(err)
		}
		if got := text(t, l); got != "null" {
			t.Errorf("without a source: %s", got)
		}
		s.set(nil)
		s.Update(of(`{"a":2}`))
		synctest.Wait()
		if got := text(t, l); got != `{"a":2}` {
			t.Errorf("got %s", got)
		}
		s.set(errors.New("away again"))
		if err := l.Sync(); err == nil {
			t.Error("Sync of a source that is away succeeds")
		}
		if got := text(t, l); got != `{"a":2}` {
			t.Errorf("a source that is away lost its values: %s", got)
		}
	})
}

// brittle is a source whose Watchers end with an error at once, but for the third.
type brittle struct {
	filled
	watched int
}

func (b *brittle) Watch() (source.Watcher, error) {
	if b.watched++; b.watched < 3 {
		return broken{}, nil
	}
	return b.filled.Watch()
}

type broken struct{}

func (broken) Next() (*source.ChangeSet, error) { return nil, errors.New("the watch broke") }
func (broken) Stop() error                      { return nil }

func TestABrokenWatchIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &brittle{filled: filledWith(`{"a":1}`)}
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(s); err != nil {
			t.Fatal(err)
		}
		s.Update(of(`{"a":2}`)) // nobody watches
		w, err := l.Watch("a")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Next(); err != nil || string(got.ChangeSet.Data) != "2" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestSyncIsNotTakenBackByTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := &unwatched{filledWith(`{"a":1}`)}
		loud := filledWith(`{"b":1}`)
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(quiet, loud); err != nil {
			t.Fatal(err)
		}
		quiet.Update(of(`{"a":2}`))
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		loud.Update(of(`{"b":2}`))
		synctest.Wait()
		if got := text(t, l); got != `{"a":2,"b":2}` {
			t.Errorf("got %s", got)
		}
	})
}

type unwatched struct{ filled }

func (u *unwatched) Watch() (source.Watcher, error) { return source.NewNoopWatcher() }

func TestNextFiresOnlyForItsPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"a":{"b":1},"s":"1","other":0}`)
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(s); err != nil {
			t.Fatal(err)
		}
		heard := map[string]*[]string{}
		for _, path := range []string{"a b", "a", "s", ""} {
			w, err := l.Watch(strings.Fields(path)...)
			if err != nil {
				t.Fatal(err)
			}
			list := new([]string)
			heard[path] = list
			go func() {
				for {
					got, err := w.Next()
					if err != nil {
						return
					}
					*list = append(*list, string(got.ChangeSet.Data))
				}
			}()
		}
		synctest.Wait()
		for _, step := range []string{
			`{"a":{"b":1},"s":"1","other":1}`, `{"a":{"b":2},"s":"1","other":1}`, `{"a":{"b":2},"s":1,"other":1}`,
			`{"a":{"b":2},"s":1,"other":1}`, `{"s":1,"other":1}`,
		} {
			s.Update(of(step))
			synctest.Wait()
		}
		for path, want := range map[string]string{"a b": "[2 null]", "a": `[{"b":2} null]`, "s": "[1]"} {
			if got := fmt.Sprint(*heard[path]); got != want {
				t.Errorf("the watcher of %q heard %s, want %s", path, got, want)
			}
		}
		if got := len(*heard[""]); got != 4 {
			t.Errorf("the watcher of the whole heard %d changes, want 4", got)
		}
	})
}

func TestASlowWatcherEndsOnTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":0}`)
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(s); err != nil {
			t.Fatal(err)
		}
		w, err := l.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 1000 {
			s.Update(of(fmt.Sprintf(`{"n":%d}`, n+1)))
			if n%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if got, err := w.Next(); err != nil || string(got.ChangeSet.Data) != "1000" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestThereAndBackIsNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":0}`)
		l := NewLoader()
		defer closed(t, l)
		if err := l.Load(s); err != nil {
			t.Fatal(err)
		}
		w, err := l.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"1", "0"} {
			s.Update(of(`{"n":` + n + `}`))
			synctest.Wait()
		}
		heard := make(chan string, 1)
		go func() {
			if got, err := w.Next(); err == nil {
				heard <- string(got.ChangeSet.Data)
			}
			close(heard)
		}()
		synctest.Wait()
		select {
		case got := <-heard:
			t.Errorf("heard %q", got)
		default:
		}
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
		<-heard
	})
}

// TestStopDuringUpdates stops watchers while values change.
func TestStopDuringUpdates(t *testing.T) {
	s := filledWith(`{"n":0}`)
	l := NewLoader()
	defer closed(t, l)
	if err := l.Load(s); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		w, err := l.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for {
				if _, err := w.Next(); err != nil {
					return
				}
			}
		})
		all.Go(func() {
			for n := range 20 {
				s.Update(of(fmt.Sprintf(`{"n":%d}`, n)))
			}
			_ = w.Stop()
			_ = w.Stop()
		})
	}
	all.Wait()
}

func TestManyWatchers(t *testing.T) {
	s := filledWith(`{"p0":0}`)
	l := NewLoader()
	defer closed(t, l)
	if err := l.Load(s); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 1000 {
		w, err := l.Watch(fmt.Sprintf("p%d", i%100))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if _, err := w.Next(); err != nil {
				t.Error(err)
			}
		})
	}
	var doc strings.Builder
	for i := range 100 {
		fmt.Fprintf(&doc, `,"p%d":%d`, i, i+1)
	}
	s.Update(of("{" + doc.String()[1:] + "}"))
	all.Wait()
}

// counting is a Reader that counts what it merges.
type counting struct {
	reader.Reader
	merges atomic.Int64
}

func (c *counting) Merge(sets ...*source.ChangeSet) (*source.ChangeSet, error) {
	c.merges.Add(1)
	return c.Reader.Merge(sets...)
}

// TestWatchingReadsNothingAnew checks that what only looks at what is loaded does not
// merge it again.
func TestWatchingReadsNothingAnew(t *testing.T) {
	r := &counting{Reader: json.NewReader()}
	l := NewLoader(WithReader(r))
	if err := l.Load(filledWith(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	before := r.merges.Load()
	for range 10 {
		w, err := l.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		_, failed := l.Snapshot()
		if err := errors.Join(failed, w.Stop()); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.merges.Load() - before; got != 0 {
		t.Errorf("10 watchers and snapshots merged %d times", got)
	}
	closed(t, l)
}

// slow is a source that takes a second to answer.
type slow struct{ filled }

func (s *slow) Read() (*source.ChangeSet, error) {
	<-time.After(time.Second) // of a clock that is not real
	return s.filled.Read()
}

// TestTheFirstCallsWaitForTheSources has two calls that are the first.
func TestTheFirstCallsWaitForTheSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLoader(WithSource(&slow{filledWith(`{"a":1}`)}))
		defer closed(t, l)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if got := text(t, l); got != `{"a":1}` {
					t.Errorf("got %s", got)
				}
			})
		}
		both.Wait()
	})
}

func TestClose(t *testing.T) {
	s := filledWith(`{"n":0}`)
	l := NewLoader()
	if err := l.Load(s); err != nil {
		t.Fatal(err)
	}
	w, err := l.Watch("n")
	if err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	closed(t, l)
	if _, err := w.Next(); !errors.Is(err, source.ErrWatcherStopped) {
		t.Errorf("Next after Close: %v", err)
	}
	if err := l.Load(s); !errors.Is(err, ErrClosed) {
		t.Errorf("Load after Close: %v", err)
	}
	if _, err := l.Watch(); !errors.Is(err, ErrClosed) {
		t.Errorf("Watch after Close: %v", err)
	}
	if got := text(t, l); got != `{"n":0}` {
		t.Errorf("after Close there is %s", got)
	}
}

func TestGet(t *testing.T) {
	l := NewLoader(WithSource(filledWith(`{"n":7}`)))
	defer closed(t, l)
	getter, ok := l.(interface {
		Get(...string) (reader.Value, error)
	})
	if !ok {
		t.Fatal("the loader has no Get")
	}
	if v, err := getter.Get("n"); err != nil || v.Int(0) != 7 {
		t.Errorf("got %v, %v", v, err)
	}
}
