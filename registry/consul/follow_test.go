package consul

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestPace shows that an agent that answers at once, again and again, is not asked
// without end.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{tokens: burst, at: time.Now()}
		began := time.Now()
		for range burst {
			p.wait(t.Context())
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a burst took %v", took)
		}
		for range 20 {
			p.wait(t.Context())
		}
		if took := time.Since(began); took < 19*spacing || took > 21*spacing {
			t.Errorf("20 more took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p.wait(ctx) {
			t.Error("waited for nobody")
		}
	})
}

// scripted is an agent that answers about the service "s" as it is told.
type scripted struct {
	mu      sync.Mutex
	index   int // 0 makes it answer 500
	nodes   []string
	changed chan struct{}
	asked   []string // queries that did not wait
}

func (a *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for {
		a.mu.Lock()
		index, nodes, changed := a.index, a.nodes, a.changed
		waits := r.URL.Query().Get("index") == fmt.Sprint(index)
		if !waits {
			a.asked = append(a.asked, r.URL.RawQuery)
		}
		a.mu.Unlock()
		if !waits {
			if index == 0 {
				w.WriteHeader(500)
				return
			}
			w.Header().Set("X-Consul-Index", fmt.Sprint(index))
			var entries []string
			for _, n := range nodes {
				entries = append(entries, fmt.Sprintf(`{"Node":{"Node":"agent"},"Service":{"ID":%q,"Service":"s","Address":"h","Port":1}}`, n))
			}
			_, _ = w.Write([]byte("[" + strings.Join(entries, ",") + "]"))
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// set makes it answer otherwise.
func (a *scripted) set(index int, nodes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index, a.nodes = index, nodes
	close(a.changed)
	a.changed = make(chan struct{})
}

// told writes down what a follower is told.
type told chan string

func (c told) Update(u feed.Update) {
	line := fmt.Sprintf("view %d:", u.Revision)
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			line += " " + n.Id
		}
	}
	if u.Gap {
		line += " after a gap"
	}
	for _, d := range u.Departed {
		line += fmt.Sprintf(" without %s (%v)", d.Node.Id, d.Cause)
	}
	c <- line
}

func (c told) Status(s feed.Status) {
	if s.Live {
		c <- "live"
	} else {
		c <- "not live"
	}
}

func (c told) next(t *testing.T, want string) {
	t.Helper()
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	select {
	case got := <-c:
		if got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	case <-timeout.C:
		t.Fatalf("told nothing, want %q", want)
	}
}

// following starts to follow "s" at the agent until the test is over.
func following(t *testing.T, handler http.Handler, names ...string) told {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	_, lines := followingAt(t, s.URL, names...)
	return lines
}

// followingAt starts to follow at the agent of that address until the test is over.
func followingAt(t *testing.T, addr string, names ...string) (*backend, told) {
	t.Helper()
	b := NewRegistry(registry.Addrs(addr)).(*backend)
	lines := make(told, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, name := range names {
		running.Go(func() {
			if err := b.Follow(ctx, name, lines); err != nil {
				t.Errorf("follow: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, lines
}

// TestIndexGoesBack shows that a server that lags is not believed, and a Consul that
// lost what it knew is, as one whose history is not known.
func TestIndexGoesBack(t *testing.T) {
	a := &scripted{changed: make(chan struct{})}
	a.set(7, "a", "b")
	lines := following(t, a, "s")
	lines.next(t, "view 7: a b")
	lines.next(t, "live")
	a.set(9, "a")
	lines.next(t, "view 9: a without b (unknown)")
	a.set(3)
	lines.next(t, "view 3: after a gap without a (unknown)")
	a.set(4, "a")
	lines.next(t, "view 4: a")
	a.mu.Lock()
	defer a.mu.Unlock()
	leader := 0
	for _, query := range a.asked {
		if !strings.Contains(query, "stale") {
			leader++
		}
	}
	if leader != 1 {
		t.Errorf("the leader was asked %d times, want once: %q", leader, a.asked)
	}
}

// TestAgentAway shows that the view is kept, and what follows is told as not seen.
func TestAgentAway(t *testing.T) {
	a := &scripted{changed: make(chan struct{})}
	a.set(7, "a", "b")
	lines := following(t, a, "s")
	lines.next(t, "view 7: a b")
	lines.next(t, "live")
	a.set(0)
	lines.next(t, "not live")
	a.set(7, "a", "b")
	lines.next(t, "live")
	a.set(0)
	lines.next(t, "not live")
	a.set(12, "a", "c")
	lines.next(t, "view 12: a c after a gap without b (unknown)")
	lines.next(t, "live")
}

// TestHealthyConsulIsLive shows that nothing is said to be out of touch while a real
// agent answers blocking queries, which it does from a stream of its servers.
func TestHealthyConsulIsLive(t *testing.T) {
	agent := testkit.SharedConsul(t)
	name := fmt.Sprintf("live.%d", time.Now().UnixNano())
	b, lines := followingAt(t, agent.Addr(), name)
	if first := <-lines; !strings.HasPrefix(first, "view ") {
		t.Fatalf("told %q first, want a view", first)
	}
	lines.next(t, "live")
	// The second view comes after what there is to say of the first one's answer.
	for _, id := range []string{"a", "b"} {
		if err := b.Register(&registry.Service{Name: name, Nodes: []*registry.Node{{Id: id, Address: "127.0.0.1:1"}}}); err != nil {
			t.Fatal(err)
		}
		for known := false; !known; {
			line := <-lines
			known = strings.HasPrefix(line, "view ") && strings.Contains(line, " "+id)
			if strings.Contains(line, "live") {
				t.Fatalf("told %q of an agent that is well", line)
			}
		}
	}
}

// TestBlockingQueriesAreBounded follows more names than there may be queries that the
// agent holds back: all are told what is there.
func TestBlockingQueriesAreBounded(t *testing.T) {
	var waiting, most atomic.Int64
	var names []string
	for i := range consul.MaxBlocking + 20 {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	names = append(names, slices.Repeat([]string{""}, 10)...) // each takes two queries
	lines := following(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("index") != "" {
			for n, before := waiting.Add(1), most.Load(); n > before && !most.CompareAndSwap(before, n); before = most.Load() {
			}
			defer waiting.Add(-1)
			<-r.Context().Done()
			return
		}
		w.Header().Set("X-Consul-Index", "1")
		if r.URL.Path == "/v1/catalog/services" {
			_, _ = w.Write([]byte("{}"))
			return
		}
		_, _ = w.Write([]byte("[]"))
	}), names...)
	for range 2 * len(names) {
		<-lines
	}
	testkit.Eventually(t, 10*time.Second, "as many wait as may", func() bool { return waiting.Load() == consul.MaxBlocking })
	if most.Load() > consul.MaxBlocking {
		t.Errorf("%d queries were open at a time, want %d", most.Load(), consul.MaxBlocking)
	}
}
