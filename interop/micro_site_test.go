package interop_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	api "github.com/rollcall-go/micro/compat/api/proto"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/web"
)

// startSite starts a web service of ours, under the names by which gateway and web page
// look for it, with the etcd at an address as its registry.
func startSite(t *testing.T, address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.RequestURI(), body)
	})
	mux.Handle("/site/missing", http.NotFoundHandler())
	mux.Handle("/missing", http.NotFoundHandler())
	r := etcd.NewRegistry(registry.Addrs(address))
	t.Cleanup(func() { closePart(t, r) })
	for _, name := range []string{"go.micro.api.site", "go.micro.web.site"} {
		ctx, cancel := context.WithCancel(context.Background()) // until the test ends
		s := web.NewService(web.Name(name), web.Id("one"), web.Address("127.0.0.1:0"), web.Registry(r), web.Handler(mux), web.Context(ctx), web.HandleSignal(false))
		done := make(chan error, 1)
		go func() { done <- s.Run() }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run %s: %v", name, err)
			}
		})
		testkit.Eventually(t, 10*time.Second, name+" is registered", func() bool {
			got, err := r.GetService(name)
			return err == nil && len(got) > 0
		})
	}
}

// listener subscribes to what the event handler of the gateway publishes.
type listener chan *api.Event

// Handle takes an event.
func (l listener) Handle(_ context.Context, e *api.Event) error {
	l <- e
	return nil
}

// arrived waits for the event that the gateway was given.
func (l listener) arrived(t *testing.T) {
	t.Helper()
	select {
	case e := <-l:
		if e.Name != "arrived" || e.Data != `{"weight":7}` || e.Id == "" || e.Header["Content-Type"] == nil {
			t.Errorf("the event is %v", e)
		}
	case <-time.After(replyTimeout):
		t.Error("the event did not arrive")
	}
}
