package consul_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// front stands before a real agent and, while it is told so, answers in its place.
type front struct {
	*httptest.Server
	agent    *testkit.Consul
	forward  http.Handler // asks the agent
	answer   atomic.Pointer[http.HandlerFunc]
	requests atomic.Int64
	ended    chan struct{} // closed with the test, before the server waits for its handlers
}

func frontOf(t *testing.T, agent *testkit.Consul) *front {
	t.Helper()
	to, err := url.Parse(agent.URL())
	if err != nil {
		t.Fatal(err)
	}
	forward, transport := httputil.NewSingleHostReverseProxy(to), &http.Transport{}
	forward.Transport = transport
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	f := &front{agent: agent, forward: forward, ended: make(chan struct{})}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		if answer := f.answer.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(f.ended)
		f.CloseClientConnections()
		f.Close()
		transport.CloseIdleConnections()
	})
	return f
}

// turn makes answer speak in place of the agent, nil the agent itself. What is under
// way is cut off.
func (f *front) turn(answer http.HandlerFunc) {
	if answer == nil {
		f.answer.Store(nil)
	} else {
		f.answer.Store(&answer)
	}
	f.CloseClientConnections()
}

// addr returns the host:port to give to a registry.
func (f *front) addr() string { return f.Listener.Addr().String() }

// hang holds a request until its asker gives up.
func (f *front) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-f.ended:
	}
}

var made atomic.Int64

// unique returns a name that no other test of the process, nor the same one before, has
// left at the shared agent.
func unique(name string) string { return fmt.Sprintf("%s.%d", name, made.Add(1)) }

// within runs call and fails the test if it takes longer.
func within(t *testing.T, what string, bound time.Duration, call func()) {
	t.Helper()
	began := time.Now()
	call()
	if took := time.Since(began); took > bound {
		t.Errorf("%s took %v, the bound is %v", what, took.Round(time.Millisecond), bound)
	}
}
