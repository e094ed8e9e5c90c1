package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rollcall-go/micro/config/loader"
	memloader "github.com/rollcall-go/micro/config/loader/memory"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/env"
	"github.com/rollcall-go/micro/config/source/file"
	"github.com/rollcall-go/micro/config/source/memory"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// filled is a source that the test fills.
type filled interface {
	source.Source
	Update(*source.ChangeSet)
}

func filledWith(text string) filled { return memory.NewSource(memory.WithJSON([]byte(text))).(filled) }

func of(text string) *source.ChangeSet { return &source.ChangeSet{Format: "json", Data: []byte(text)} }

func newOf(t *testing.T, sources ...source.Source) Config {
	t.Helper()
	c, err := NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Load(sources...); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFileUnderEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(path, []byte("db:\n  host: filed\n  port: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROLLCALLTEST_DB_HOST", "from the environment")
	c := newOf(t, file.NewSource(file.WithPath(path)), env.NewSource(env.WithStrippedPrefix("ROLLCALLTEST")))
	if got := string(c.Bytes()); got != `{"db":{"host":"from the environment","port":1}}` {
		t.Errorf("got %s", got)
	}
	var db struct {
		Host string
		Port int
	}
	if err := c.Get("db").Scan(&db); err != nil || db.Host != "from the environment" || db.Port != 1 {
		t.Errorf("scanned %+v, %v", db, err)
	}
}

func TestAnEmptyConfig(t *testing.T) {
	c := newOf(t)
	if got := c.Get("x").String("def"); got != "def" {
		t.Errorf("got %q", got)
	}
	if m := c.Map(); m != nil {
		t.Errorf("got %v", m)
	}
	if got := string(c.Bytes()); got != "null" {
		t.Errorf("got %s", got)
	}
	var into struct{ A int }
	if err := c.Scan(&into); err != nil {
		t.Error(err)
	}
	c.Set(5, "a")
	if err := c.Scan(&into); err != nil || into.A != 5 {
		t.Errorf("scanned %+v, %v", into, err)
	}
	c.Del("a")
	if got := c.Get("a").Int(1); got != 1 {
		t.Errorf("got %d", got)
	}
}

func TestNewConfigSaysWhatFails(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.json")
	c, err := NewConfig(WithSource(file.NewSource(file.WithPath(missing))))
	if c != nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v, %v", c, err)
	}
}

// TestNextComesAfterGet checks that who hears of a change also reads it.
func TestNextComesAfterGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":"1"}`)
		c := newOf(t, s)
		w, err := c.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"2", "3", "4"} {
			s.Update(of(`{"n":"` + n + `"}`))
			v, err := w.Next()
			if err != nil || v.String("") != n || c.Get("n").String("") != n {
				t.Fatalf("heard %v, %v and read %s", v, err, c.Get("n").Bytes())
			}
		}
	})
}

func TestSetLastsUntilTheNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":1}`)
		c := newOf(t, s)
		c.Set(2, "n")
		if got := c.Get("n").Int(0); got != 2 {
			t.Errorf("got %d", got)
		}
		s.Update(of(`{"n":1,"m":1}`))
		synctest.Wait()
		if got := c.Get("n").Int(0); got != 1 {
			t.Errorf("after a change: %d", got)
		}
	})
}

func TestCloseEndsWatchers(t *testing.T) {
	c, err := NewConfig(WithSource(filledWith(`{"n":1}`)))
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := w.Next()
		ended <- err
	}()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-ended; err == nil || err.Error() != "watcher stopped" {
		t.Errorf("Next: %v", err)
	}
	if got := c.Get("n").Int(0); got != 1 {
		t.Errorf("after Close: %d", got)
	}
	if err := c.Init(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// plain is a Loader that can do no more than the contract.
type plain struct{ loader.Loader }

func TestAnotherLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":1}`)
		l := memloader.NewLoader()
		c, err := NewConfig(WithLoader(plain{l}), WithSource(s))
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Watch("n")
		if err != nil {
			t.Fatal(err)
		}
		s.Update(of(`{"n":2}`))
		if v, err := w.Next(); err != nil || v.Int(0) != 2 {
			t.Errorf("heard %v, %v", v, err)
		}
		synctest.Wait()
		if got := c.Get("n").Int(0); got != 2 {
			t.Errorf("got %d", got)
		}
		if err := errors.Join(c.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
}

// numbered is a Loader that counts its versions from one.
type numbered struct{ plain }

func (n numbered) Snapshot() (*loader.Snapshot, error) {
	s, err := n.plain.Snapshot()
	if err == nil {
		s.Version = "1"
	}
	return s, err
}

// TestALoaderInPlaceOfAnother gives a Config that has values another Loader, whose
// versions have nothing to do with those of the one before.
func TestALoaderInPlaceOfAnother(t *testing.T) {
	c := newOf(t, filledWith(`{"n":1}`))
	l := memloader.NewLoader(memloader.WithSource(filledWith(`{"n":2}`)))
	if err := c.Init(WithLoader(numbered{plain{l}})); err != nil {
		t.Fatal(err)
	}
	if got := c.Get("n").Int(0); got != 2 {
		t.Errorf("got %d", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// labels is a T that is no struct.
type labels map[string]string

func (l *labels) Defaults() { *l = labels{"zone": "a"} }

// TestBindKeepsDefaultsWhereNothingIs binds to a path without a value, which later has one.
func TestBindKeepsDefaultsWhereNothingIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{}`)
		b, err := Bind[labels](newOf(t, s), "labels")
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ text, want string }{{`{}`, "a"}, {`{"labels":{"zone":"b"}}`, "b"}, {`{"n":1}`, "a"}} {
			s.Update(of(step.text))
			synctest.Wait()
			if got := (*b.Get())["zone"]; got != step.want || b.Err() != nil {
				t.Errorf("%s: got %q, %v", step.text, got, b.Err())
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

type settings struct {
	Host    string
	Retries int
	Peers   []string
}

func (s *settings) Defaults() { s.Retries = 3 }

func (s *settings) Validate() error {
	if s.Retries < 0 {
		return errors.New("retries must not be negative")
	}
	return nil
}

func TestBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"app":{"host":"a","peers":["x"]}}`)
		c := newOf(t, s)
		b, err := Bind[settings](c, "app")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if got := b.Get(); got.Host != "a" || got.Retries != 3 {
			t.Errorf("got %+v", got)
		}
		var calls atomic.Int32
		b.OnChange(func(before, now *settings) {
			if before == now || before.Host == now.Host {
				t.Errorf("told of %+v after %+v", now, before)
			}
			calls.Add(1)
		})
		for _, step := range []struct {
			text, host string
			refused    string
			calls      int32
		}{
			{`{"app":{"host":"b"}}`, "b", "", 1},
			{`{"app":{"host":"b","retries":3,"unknown":true}}`, "b", "", 1},
			{`{"app":{"host":"c","retries":-1}}`, "b", "negative", 1},
			{`{"app":{"host":["c"]}}`, "b", "array", 1},
			{`{"app":{"host":"d","retries":0}}`, "d", "", 2},
			{`{}`, "", "", 3},
		} {
			s.Update(of(step.text))
			synctest.Wait()
			err := b.Err()
			if got := b.Get(); got.Host != step.host || calls.Load() != step.calls {
				t.Errorf("after %s: %+v and %d calls", step.text, got, calls.Load())
			}
			if (err != nil) != (step.refused != "") || err != nil && !strings.Contains(err.Error(), step.refused) {
				t.Errorf("after %s: %v", step.text, err)
			}
		}
	})
}

func TestBindRefusesAtTheStart(t *testing.T) {
	c := newOf(t, filledWith(`{"app":{"retries":-1}}`))
	if b, err := Bind[settings](c, "app"); err == nil || !strings.Contains(err.Error(), `"app"`) {
		t.Errorf("got %v, %v", b, err)
	}
}

func TestBoundReadsCostNoMemory(t *testing.T) {
	c := newOf(t, filledWith(`{"app":{"host":"a"}}`))
	b, err := Bind[settings](c, "app")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if n := testing.AllocsPerRun(100, func() { _ = b.Get().Host }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDefaultConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.toml")
	if err := os.WriteFile(path, []byte("name = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	former := DefaultConfig
	defer func() { DefaultConfig = former }()
	DefaultConfig = newOf(t)
	if err := LoadFile(path); err != nil {
		t.Fatal(err)
	}
	if err := Load(filledWith(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	var all struct{ Name string }
	if err := errors.Join(Sync(), Scan(&all)); err != nil || all.Name != "x" || Get("n").Int(0) != 1 || len(Map()) != 2 || len(Bytes()) == 0 {
		t.Errorf("got %s, %v", Bytes(), err)
	}
	w, err := Watch("n")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
}

func BenchmarkGetString(b *testing.B) {
	c, v := benchmark(b)
	_ = v
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Get("micro", "config", "database", "host").String("")
	}
}

// BenchmarkGetStringAtAKeptPath reads as a program does that makes its path once.
func BenchmarkGetStringAtAKeptPath(b *testing.B) {
	c, _ := benchmark(b)
	path := []string{"micro", "config", "database", "host"}
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Get(path...).String("")
	}
}

func BenchmarkBoundGet(b *testing.B) {
	_, v := benchmark(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = v.Get().Host
	}
}

func benchmark(b *testing.B) (Config, *Bound[settings]) {
	b.Helper()
	c, err := NewConfig(WithSource(filledWith(`{"micro":{"config":{"database":{"host":"10.0.0.1"}}}}`)))
	if err != nil {
		b.Fatal(err)
	}
	v, err := Bind[settings](c, "micro", "config", "database")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(v.Close(), c.Close()); err != nil {
			b.Error(err)
		}
	})
	return c, v
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filledWith(`{"n":1}`)
		c := newOf(t, s)
		if all := Status(c); len(all) != 1 || !all[0].Live || all[0].Source != "memory" || all[0].Confirmed.IsZero() {
			t.Errorf("got %+v", all)
		}
		s.Update(of(`{`))
		synctest.Wait()
		if all := Status(c); all[0].Live || all[0].Err == nil {
			t.Errorf("broken: %+v", all)
		}
		if got := Status(struct{ Config }{c}); got == nil {
			t.Error("a Config around another one tells nothing")
		}
	})
}
