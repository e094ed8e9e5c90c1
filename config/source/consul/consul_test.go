package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long the tests wait for what has to come.
const patience = 20 * time.Second

func put(t *testing.T, c *testkit.Consul, key, value string) {
	t.Helper()
	c.Do(t, "PUT", "/v1/kv/"+key, json.RawMessage(value))
}

// follow returns a function that waits until the source is told to be want.
func follow(t *testing.T, s source.Source) (until func(want string)) {
	t.Helper()
	w, err := s.Watch()
	if err != nil {
		t.Fatal(err)
	}
	news, ended := make(chan string, 1000), make(chan struct{})
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
			news <- string(set.Data)
		}
	}()
	t.Cleanup(func() {
		if err := errors.Join(w.Stop(), w.Stop()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return func(want string) {
		t.Helper()
		timer := time.NewTimer(patience)
		defer timer.Stop()
		var before []string
		for {
			select {
			case got := <-news:
				if got == want {
					return
				}
				before = append(before, got)
			case <-timer.C:
				t.Fatalf("%s is never told; before it came %.300q", want, before)
			}
		}
	}
}

func read(t *testing.T, s source.Source) string {
	t.Helper()
	set, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	if set.Source != "consul" || set.Format != "json" || set.Checksum != set.Sum() {
		t.Errorf("got %+v", set)
	}
	return string(set.Data)
}

func TestAgainstConsul(t *testing.T) {
	agent := testkit.StartConsul(t)
	at := func(prefix string, opts ...source.Option) source.Source {
		return NewSource(append([]source.Option{WithAddress(agent.Addr()), WithPrefix(prefix), StripPrefix(true)}, opts...)...)
	}
	s := at("/app")
	until := follow(t, s)
	if got := read(t, s); got != "{}" {
		t.Errorf("of nothing is read %s", got)
	}
	put(t, agent, "app/db", `{"host":"a","port":1}`)
	until(`{"db":{"host":"a","port":1}}`)
	put(t, agent, "app/db/port", `2`)
	put(t, agent, "apple", `{"no":1}`)
	until(`{"db":{"host":"a","port":2}}`)
	for i := range 20 {
		put(t, agent, "app/n", fmt.Sprint(i))
		if got, want := read(t, s), fmt.Sprintf(`{"db":{"host":"a","port":2},"n":%d}`, i); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	put(t, agent, "app/db/port", `"`+strings.Repeat("x", 1000)+`"`)
	agent.Do(t, "DELETE", "/v1/kv/app/n", nil)
	agent.Do(t, "DELETE", "/v1/kv/app/db/port", nil)
	until(`{"db":{"host":"a","port":1}}`)

	if got := read(t, NewSource(WithAddress(agent.Addr()), WithPrefix("app/db"))); got != `{"app":{"db":{"host":"a","port":1}}}` {
		t.Errorf("without StripPrefix: %s", got)
	}
	put(t, agent, "micro/config/x", `1`)
	put(t, agent, "micro/config/_service/shop/x", `2`)
	if got := read(t, NewSource(WithAddress(agent.Addr()), Layers("shop", "prod"))); got != `{"x":2}` {
		t.Errorf("of layers is read %s", got)
	}
	agent.Stop(t)
	testkit.Eventually(t, patience, "the loss is noticed", func() bool { return !s.(source.Reporter).Status().Live })
	if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), agent.Addr()) {
		t.Errorf("of an agent that is away: %v", err)
	}
	agent.Wipe()
	agent.Restart(t)
	until("{}")
	put(t, agent, "app/db", `{"back":true}`)
	until(`{"db":{"back":true}}`)
}

func TestToken(t *testing.T) {
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	put(t, agent, "app/a", "1")
	token := agent.NewToken(t, `key_prefix "app/" { policy = "read" }`)
	if got := read(t, NewSource(WithAddress(agent.Addr()), WithPrefix("app/"), StripPrefix(true), WithToken(token.Secret))); got != `{"a":1}` {
		t.Errorf("got %s", got)
	}
	if _, err := NewSource(WithAddress(agent.Addr()), WithPrefix("app/"), WithToken("wrong")).Read(); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong token: %v", err)
	}
}

func TestAddressesThatCannotBe(t *testing.T) {
	if _, err := NewSource(WithAddress("ftp://x")).Read(); err == nil || !strings.Contains(err.Error(), "ftp") {
		t.Error(err)
	}
}
