package consul_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestLaggingServer has a server answer that has not caught up, as any may when the
// leader is gone: what it lacks is not told to have left while no leader says so. Once
// one does, it is.
func TestLaggingServer(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	f := frontOf(t, agent)
	r := open(t, f.addr())
	name := unique("lagging")
	s := &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: name, Address: "127.0.0.1:1"}}}
	if err := open(t, agent.Addr()).Register(s); err != nil {
		t.Fatal(err)
	}
	testkit.Passes(t, 30*time.Second, "the node is listed", func() error { _, err := r.GetService(name); return err })
	watched := follow(t, r, registry.WatchService(name))
	behind := func(w http.ResponseWriter) {
		w.Header().Set("X-Consul-Index", "1")
		_, _ = w.Write([]byte("[]")) // the asker may have gone
	}
	f.turn(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("stale") {
			behind(w)
			return
		}
		http.Error(w, "No cluster leader", http.StatusInternalServerError)
	})
	asked := f.requests.Load()
	testkit.Eventually(t, 30*time.Second, "the server is asked again and again", func() bool { return f.requests.Load() > asked+4 })
	if watched.has("delete " + name) {
		t.Fatal("the node is told to have left because a server does not know it yet")
	}
	f.turn(func(w http.ResponseWriter, _ *http.Request) { behind(w) })
	testkit.Eventually(t, 30*time.Second, "the departure is told", func() bool { return watched.has("delete " + name) })
	f.turn(nil)
	testkit.Eventually(t, 30*time.Second, "the return is told", func() bool { return watched.has("create " + name) })
}
