package config

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/config/loader"
	memloader "github.com/rollcall-go/micro/config/loader/memory"
	"github.com/rollcall-go/micro/config/reader/json"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestBindGoesOnWithAnotherLoader gives a Config another Loader, of its own and of somebody
// else's, and opens it again after Close: what is bound follows, and was never what a
// Loader has before its sources are read.
func TestBindGoesOnWithAnotherLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"app":{"host":"a"}}`)
		c, err := NewConfig(WithSource(s))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Bind[settings](c, "app")
		if err != nil {
			t.Fatal(err)
		}
		var hosts []string
		b.OnChange(func(_, now *settings) { hosts = append(hosts, now.Host) })
		first, second := memloader.NewLoader(), memloader.NewLoader()
		for _, step := range []struct {
			host string
			by   func() error
		}{
			{"b", func() error { return c.Init(WithReader(json.NewReader())) }},
			{"c", func() error { return c.Init(WithLoader(first)) }},
			{"d", func() error { return c.Init(WithLoader(plain{second})) }},
			{"e", func() error { return c.Init(WithLoader(first)) }}, // for the second time
			{"f", func() error { return errors.Join(c.Close(), c.Init()) }},
		} {
			if err := step.by(); err != nil {
				t.Fatal(err)
			}
			s.Update(of(`{"app":{"host":"` + step.host + `"}}`))
			synctest.Wait()
			if got := b.Get().Host; got != step.host || b.Err() != nil {
				t.Errorf("%q: got %q, %v", step.host, got, b.Err())
			}
		}
		if got := len(hosts); got != 5 {
			t.Errorf("told of %q", hosts)
		}
		if err := errors.Join(b.Close(), c.Close(), first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestABoundSaysThatItFollowsNoMore closes the Config under it.
func TestABoundSaysThatItFollowsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newOf(t, filledWith(`{"app":{"host":"a"}}`))
		b, err := Bind[settings](c, "app")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := b.Err(); !errors.Is(err, source.ErrWatcherStopped) || b.Get().Host != "a" {
			t.Errorf("got %+v, %v", b.Get(), err)
		}
		if err := b.refusal(); err != nil { // or it would be named among those who refuse a value
			t.Error(err)
		}
		other := newOf(t, filledWith(`{}`))
		if b, err = Bind[settings](other); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil || b.Err() != nil {
			t.Errorf("closed by its owner: %v, %v", err, b.Err())
		}
	})
}

// TestALoaderThatWasLeftAsksNobody gives a Config another Loader while the one before goes
// on: what a part of the program refuses of the one in force is told to its sources alone.
func TestALoaderThatWasLeftAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := &informed{Source: filledWith(`{"app":{"host":"a"}}`)}, &informed{Source: filledWith(`{"app":{"host":"b"}}`)}
		first, second := memloader.NewLoader(memloader.WithSource(before)), memloader.NewLoader(memloader.WithSource(after))
		c, err := NewConfig(WithLoader(first))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Bind[settings](c, "app")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []loader.Loader{second, first, second} {
			if err := c.Init(WithLoader(l)); err != nil {
				t.Fatal(err)
			}
		}
		after.Source.(filled).Update(of(`{"app":{"retries":-1}}`))
		synctest.Wait()
		before.Source.(filled).Update(of(`{"app":{"host":"c"}}`))
		synctest.Wait()
		if n, m := len(before.last().Parts), len(after.last().Parts); n != 0 || m != 1 || b.Get().Host != "b" {
			t.Errorf("%d refusals are told to the source of the Loader before, %d to the other; bound is %+v", n, m, b.Get())
		}
		if err := errors.Join(b.Close(), c.Close(), first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
	})
}

// meanwhile is settings, whose first decoding gives the Config another Loader.
type meanwhile struct{ settings }

var duringDefaults func()

func (m *meanwhile) Defaults() {
	if f := duringDefaults; f != nil {
		duringDefaults = nil
		f()
	}
	m.settings.Defaults()
}

// TestBindWhileThereIsAnotherLoader gives a Config another Loader when Bind has begun to
// watch the one before.
func TestBindWhileThereIsAnotherLoader(t *testing.T) {
	for _, refused := range []bool{false, true} {
		s := filledWith(`{"app":{"host":"a"}}`)
		if refused {
			s.Update(of(`{"app":{"retries":-1}}`))
		}
		c, err := NewConfig(WithSource(s))
		if err != nil {
			t.Fatal(err)
		}
		moved := make(chan error, 1)
		duringDefaults = func() {
			go func() { moved <- c.Init(WithReader(json.NewReader())) }()
			all := &c.(*config).parts
			testkit.Eventually(t, 20*time.Second, "the parts are to follow another Loader", func() bool {
				all.mu.Lock()
				defer all.mu.Unlock()
				return all.number > 0
			})
		}
		b, err := Bind[meanwhile](c, "app")
		if (err != nil) != refused {
			t.Fatal(err)
		}
		if err := <-moved; err != nil {
			t.Error(err)
		}
		if !refused {
			s.Update(of(`{"app":{"host":"b"}}`))
			testkit.Eventually(t, 20*time.Second, "it follows", func() bool { return b.Get().Host == "b" })
			if err := errors.Join(b.Err(), b.Close()); err != nil {
				t.Error(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// informed is a source that notes what it is told of what it gave.
type informed struct {
	source.Source
	mu   sync.Mutex
	told source.Applied
}

func (i *informed) SetApplied(now source.Applied) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.told = now
}

func (i *informed) last() source.Applied {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.told
}
