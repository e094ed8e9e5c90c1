package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long the tests wait for what has to come.
const patience = 20 * time.Second

func write(t *testing.T, c *clientv3.Client, ops ...clientv3.Op) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := c.Txn(ctx).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s source.Source) string {
	t.Helper()
	set, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	if set.Format != "json" || set.Source != "etcd" || set.Checksum != set.Sum() || set.Timestamp.IsZero() {
		t.Errorf("got %+v", set)
	}
	return string(set.Data)
}

// follower takes everything that a Watcher tells.
type follower struct {
	t    *testing.T
	news chan string
}

func follow(t *testing.T, s source.Source) follower {
	t.Helper()
	w, err := s.Watch()
	if err != nil {
		t.Fatal(err)
	}
	f := follower{t, make(chan string, 10_000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			set, err := w.Next()
			if err != nil {
				if !errors.Is(err, source.ErrWatcherStopped) {
					t.Error(err)
				}
				return
			}
			f.news <- string(set.Data)
		}
	}()
	t.Cleanup(func() {
		if err := errors.Join(w.Stop(), w.Stop()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return f
}

// until waits for want and returns what was told before it.
func (f follower) until(want string) (before []string) {
	f.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case got := <-f.news:
			if got == want {
				return before
			}
			before = append(before, got)
		case <-timer.C:
			f.t.Fatalf("%s is never told; before it came %.300q", want, before)
		}
	}
}

// TestAgainstEtcd runs what one etcd can be shared for.
func TestAgainstEtcd(t *testing.T) {
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	at := func(prefix string, opts ...source.Option) source.Source {
		return NewSource(append([]source.Option{WithAddress(e.Addr()), WithPrefix(prefix), StripPrefix(true)}, opts...)...)
	}

	t.Run("an empty prefix may fill later", func(t *testing.T) {
		s := at("/empty")
		f := follow(t, s)
		if got := read(t, s); got != "{}" {
			t.Errorf("got %s", got)
		}
		write(t, c, clientv3.OpPut("/empty/a", "1"))
		f.until(`{"a":1}`)
		if got := read(t, s); got != `{"a":1}` {
			t.Errorf("got %s", got)
		}
		write(t, c, clientv3.OpDelete("/empty/a"))
		f.until(`{}`)
	})

	t.Run("a read sees what was written before it", func(t *testing.T) {
		s := at("/reads")
		follow(t, s)
		for i := range 50 {
			write(t, c, clientv3.OpPut("/reads/n", fmt.Sprint(i)))
			if got, want := read(t, s), fmt.Sprintf(`{"n":%d}`, i); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	})

	t.Run("nothing falls between reading and watching", func(t *testing.T) {
		for i := range 20 {
			s := at("/between")
			write(t, c, clientv3.OpPut("/between/n", "0"))
			f := follow(t, s)
			read(t, s)
			write(t, c, clientv3.OpPut("/between/n", fmt.Sprint(i+1)))
			f.until(fmt.Sprintf(`{"n":%d}`, i+1))
		}
	})

	t.Run("a transaction is one change", func(t *testing.T) {
		s := at("/txn")
		f := follow(t, s)
		const last = 100
		for i := range last + 1 {
			var ops []clientv3.Op
			for k := range 20 {
				ops = append(ops, clientv3.OpPut(fmt.Sprintf("/txn/k%02d", k), fmt.Sprint(i)))
			}
			write(t, c, ops...)
		}
		var want strings.Builder
		for k := range 20 {
			fmt.Fprintf(&want, `,"k%02d":%d`, k, last)
		}
		for _, state := range f.until("{" + want.String()[1:] + "}") {
			values := map[string]bool{}
			for _, field := range strings.Split(strings.Trim(state, "{}"), ",") {
				_, value, _ := strings.Cut(field, ":")
				values[value] = true
			}
			if len(values) != 1 {
				t.Fatalf("half of a transaction was seen: %s", state)
			}
		}
	})

	t.Run("a namespace lies apart", func(t *testing.T) {
		s := at("/apart", Namespace("blue"))
		write(t, c, clientv3.OpPut("/blue/apart/a", "1"), clientv3.OpPut("/apart/a", "2"))
		if got := read(t, s); got != `{"a":1}` {
			t.Errorf("got %s", got)
		}
		write(t, c, clientv3.OpPut("/blue/bare/a", "1"), clientv3.OpPut("/bluebare/a", "2"))
		if got := read(t, at("bare", Namespace("blue"))); got != `{"a":1}` {
			t.Errorf("a prefix without a slash: got %s", got)
		}
		if _, err := at("/apart", Namespace("no/name")).Read(); err == nil || !strings.Contains(err.Error(), "no/name") {
			t.Error(err)
		}
	})

	t.Run("a client of the program's", func(t *testing.T) {
		s := NewSource(Client(c), WithPrefix("/own"))
		write(t, c, clientv3.OpPut("/own/a", "1"))
		f := follow(t, s)
		if got := read(t, s); got != `{"own":{"a":1}}` {
			t.Errorf("got %s", got)
		}
		f.until(`{"own":{"a":1}}`)
		write(t, c, clientv3.OpPut("/own/a", "2"))
		f.until(`{"own":{"a":2}}`)
	})

	t.Run("the connection of a registry", func(t *testing.T) {
		r := etcd.NewRegistry(registry.Addrs(e.Addr()))
		defer func() {
			if err := r.(interface{ Close() error }).Close(); err != nil {
				t.Error(err)
			}
		}()
		s := NewSource(Registry(r), WithPrefix("/shared"))
		write(t, c, clientv3.OpPut("/shared/a", "1"))
		w, err := s.Watch()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		if got := read(t, s); got != `{"shared":{"a":1}}` {
			t.Errorf("got %s", got)
		}
		if err := r.Init(registry.Timeout(3 * time.Second)); err != nil {
			t.Fatal(err)
		}
		write(t, c, clientv3.OpPut("/shared/a", "2"))
		for {
			set, err := w.Next()
			if err != nil {
				t.Fatal(err)
			}
			if string(set.Data) == `{"shared":{"a":2}}` {
				break
			}
		}
		if _, err := NewSource(Registry(memory.NewRegistry())).Read(); err == nil || !strings.Contains(err.Error(), "memory") {
			t.Error(err)
		}
	})

	t.Run("a registry that is closed first", func(t *testing.T) {
		r := etcd.NewRegistry(registry.Addrs(e.Addr()))
		s := NewSource(Registry(r), WithPrefix("/first"), StripPrefix(true), WithDialTimeout(2*time.Second))
		write(t, c, clientv3.OpPut("/first/a", "1"))
		w, err := s.Watch()
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, s); got != `{"a":1}` {
			t.Errorf("got %s", got)
		}
		if err := r.(interface{ Close() error }).Close(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := s.Read(); err == nil || time.Since(begun) > patience {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		testkit.Eventually(t, patience, "the source says that it follows nothing", func() bool {
			status := s.(source.Reporter).Status()
			return !status.Live && status.Err != nil
		})
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})

	t.Run("large values", func(t *testing.T) {
		s := at("/large")
		f := follow(t, s)
		value := `"` + strings.Repeat("x", 1<<20) + `"` // etcd takes requests of 1.5 MiB
		for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
			write(t, c, clientv3.OpPut("/large/"+key, value))
		}
		want := fmt.Sprintf(`{"a":%[1]s,"b":%[1]s,"c":%[1]s,"d":%[1]s,"e":%[1]s,"f":%[1]s}`, value)
		f.until(want)
		if read(t, at("/large")) != want {
			t.Error("a fresh source reads something else")
		}
	})

	t.Run("a refused value is reported", func(t *testing.T) {
		s := at("/bad")
		f := follow(t, s)
		write(t, c, clientv3.OpPut("/bad/a", "1"))
		f.until(`{"a":1}`)
		write(t, c, clientv3.OpPut("/bad/a", "hello"))
		write(t, c, clientv3.OpPut("/bad/b", "2"))
		f.until(`{"a":1,"b":2}`)
		status := s.(source.Reporter).Status()
		if !status.Live || len(status.Refused) != 1 || status.Refused[0].Key != "/bad/a" || status.Refused[0].Revision == 0 {
			t.Errorf("got %+v", status)
		}
	})

	t.Run("random writes", func(t *testing.T) {
		s := at("/random")
		f := follow(t, s)
		randomly(t, c, "/random", 200, nil)
		write(t, c, clientv3.OpPut("/random/zz", `"end"`))
		want := read(t, at("/random"))
		f.until(want)
	})
}

// randomly writes keys of a few names below prefix, and calls between before each.
func randomly(t *testing.T, c *clientv3.Client, prefix string, steps int, between func(step int)) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"a", "b", "c", "a-b", ""}
	for step := range steps {
		if between != nil {
			between(step)
		}
		ops := map[string]clientv3.Op{}
		for range 1 + random.IntN(4) {
			key := prefix
			for range 1 + random.IntN(3) {
				key += "/" + parts[random.IntN(len(parts))]
			}
			value := []string{"1", `{"a":1}`, `{"a":{"b":2}}`, "[1]", `"s"`, "null"}[random.IntN(6)]
			if ops[key] = clientv3.OpPut(key, value); random.IntN(3) == 0 {
				ops[key] = clientv3.OpDelete(key)
			}
		}
		var list []clientv3.Op
		for _, op := range ops {
			list = append(list, op)
		}
		write(t, c, list...)
	}
}

// TestEtcdAwayAtTheStart checks that Read says why, and that the source comes alive.
func TestEtcdAwayAtTheStart(t *testing.T) {
	e := testkit.StartEtcd(t)
	e.Stop(t)
	s := NewSource(WithAddress(e.Addr()), WithPrefix("/c"), StripPrefix(true), WithDialTimeout(time.Second))
	f := follow(t, s)
	begun := time.Now()
	if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), e.Addr()) || time.Since(begun) > patience/2 {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	e.Restart(t)
	write(t, e.Client(t), clientv3.OpPut("/c/a", "1"))
	f.until(`{"a":1}`)
}

func TestAddressesThatCannotBe(t *testing.T) {
	s := NewSource(WithAddress("http://"))
	if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), "http://") {
		t.Error(err)
	}
}

func TestTLSAndUsers(t *testing.T) {
	ca := testkit.NewCA(t)
	e := testkit.StartEtcd(t, testkit.WithTLS(ca))
	e.EnableAuth(t, "reader", "secret")
	c := e.Client(t)
	write(t, c, clientv3.OpPut("/micro/config/a", "1"))
	s := NewSource(WithAddress(e.Addr()), TLS(e.TLS(t)), Auth("reader", "secret"))
	if got := read(t, s); got != `{"micro":{"config":{"a":1}}}` {
		t.Errorf("got %s", got)
	}
	if got := read(t, NewSource(WithAddress(e.Addr()), TLSFiles(ca.File, "", ""), Auth("reader", "secret"))); got != `{"micro":{"config":{"a":1}}}` {
		t.Errorf("with files: %s", got)
	}
	for what, wrong := range map[string]source.Source{
		"a wrong password": NewSource(WithAddress(e.Addr()), TLS(e.TLS(t)), Auth("reader", "hunter2")),
		"no TLS":           NewSource(WithAddress(e.Addr()), Auth("reader", "hunter2"), WithDialTimeout(2*time.Second)),
		"no right":         NewSource(WithAddress(e.Addr()), TLS(e.TLS(t)), Auth("reader", "secret"), WithPrefix("/else/")),
	} {
		begun := time.Now()
		if _, err := wrong.Read(); err == nil || strings.Contains(err.Error(), "hunter2") || time.Since(begun) > patience {
			t.Errorf("%s: after %v: %v", what, time.Since(begun), err)
		}
	}
}
