package http

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestRequestsAreSharedOut(t *testing.T) {
	r := newMemory(t)
	a, b := serve(t, r, whoami, nil), serve(t, r, whoami, map[string]string{"protocol": "http"})
	rt := newRoundTripper(t, r)
	seen := map[string]bool{}
	testkit.Eventually(t, 20*time.Second, "both nodes answer", func() bool {
		text, err := ask(t, rt, http.MethodGet, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[text] = true
		return len(seen) == 2
	})
	for _, s := range []string{a.Listener.Addr().String(), b.Listener.Addr().String()} {
		if !seen[s] {
			t.Errorf("%s did not answer, but %v", s, seen)
		}
	}
}

// The request that arrives is the one that was made, but for where it goes.
func TestTheRequestArrivesAsItWasMade(t *testing.T) {
	r := newMemory(t)
	serve(t, r, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		for what, pair := range map[string][2]string{
			"host": {req.Host, name}, "path": {req.URL.Path, "/a b"}, "query": {req.URL.RawQuery, "x=1"},
			"header": {req.Header.Get("X-Own"), "v"}, "body": {string(body), "in"}, "method": {req.Method, http.MethodPost},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
			}
		}
		w.Header().Set("Location", "/there")
		w.WriteHeader(http.StatusTeapot)
	}, nil)
	rt := newRoundTripper(t, r)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+name+"/a%20b?x=1", strings.NewReader("in"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Own", "v")
	rsp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	where, err := rsp.Location()
	if rsp.StatusCode != http.StatusTeapot || rsp.Request != req || err != nil || where.String() != "http://"+name+"/there" || req.URL.Host != name {
		t.Errorf("answered %d, a redirection leads to %v, %v", rsp.StatusCode, where, err)
	}
}

func TestNobodyToAsk(t *testing.T) {
	r := newMemory(t)
	rt := newRoundTripper(t, r)
	if _, err := ask(t, rt, http.MethodGet, nil); !errors.Is(err, selector.ErrNotFound) || !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), name) {
		t.Errorf("of nobody: %v", err)
	}
	register(t, r, "127.0.0.1:1", map[string]string{"protocol": "grpc"})
	testkit.Eventually(t, 10*time.Second, "the node is known", func() bool {
		_, err := ask(t, rt, http.MethodGet, nil)
		return err != nil && strings.Contains(err.Error(), "speaks grpc")
	})
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
	if _, err := ask(t, rt, http.MethodGet, nil); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// dead returns an address that nobody listens on.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Nothing was written to a node that refuses: every request goes elsewhere, whatever its
// method, if its body can be had again.
func TestADeadNodeHarmsNoRequest(t *testing.T) {
	r := newMemory(t)
	register(t, r, dead(t), nil)
	live := serve(t, r, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		_, _ = w.Write(body)
	}, nil)
	for range 20 { // whichever node is chosen first
		rt := newRoundTripper(t, r)
		text, err := ask(t, rt, http.MethodPost, bytes.NewReader([]byte("in")))
		if err != nil || text != "in" {
			t.Fatalf("answered %q, %v; %s lives", text, err, live.URL)
		}
	}
}

// hangup reads a request and breaks the connection.
func hangup(count *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
}

// A request that was written is made again only if that is safe.
func TestWhatIsMadeAgain(t *testing.T) {
	for _, tc := range []struct {
		method string
		header string
		body   func() io.Reader
		want   int32
	}{
		{http.MethodGet, "", func() io.Reader { return nil }, 2},
		{http.MethodPut, "", func() io.Reader { return strings.NewReader("x") }, 2},
		{http.MethodPut, "", func() io.Reader { return io.NopCloser(io.LimitReader(strings.NewReader("x"), 1)) }, 1}, // no GetBody
		{http.MethodPost, "", func() io.Reader { return strings.NewReader("x") }, 1},
		{http.MethodPost, "Idempotency-Key", func() io.Reader { return strings.NewReader("x") }, 2},
		{http.MethodPatch, "", func() io.Reader { return nil }, 1},
	} {
		var count atomic.Int32
		r := newMemory(t)
		serve(t, r, hangup(&count), nil)
		rt := newRoundTripper(t, r)
		req, err := http.NewRequestWithContext(t.Context(), tc.method, "http://"+name+"/", tc.body())
		if err != nil {
			t.Fatal(err)
		}
		if tc.header != "" {
			req.Header.Set(tc.header, "7")
		}
		rsp, err := rt.RoundTrip(req)
		if err == nil {
			rsp.Body.Close()
			t.Errorf("%s: answered", tc.method)
		}
		if got := count.Load(); got != tc.want {
			t.Errorf("%s, header %q: arrived %d times, want %d: %v", tc.method, tc.header, got, tc.want, err)
		}
	}
}

// A host with a port is called as it is.
func TestHostsThatAreNoNames(t *testing.T) {
	r := newMemory(t)
	s := serve(t, newMemory(t), whoami, nil)
	rt := newRoundTripper(t, r)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	rsp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	rsp.Body.Close()
}

// A node that leaves is asked no more, though it still lives.
func TestANodeThatLeft(t *testing.T) {
	r := newMemory(t)
	a := serve(t, r, whoami, nil)
	b := serve(t, r, whoami, nil)
	rt := newRoundTripper(t, r)
	if _, err := ask(t, rt, http.MethodGet, nil); err != nil {
		t.Fatal(err)
	}
	gone := a.Listener.Addr().String()
	if err := r.Deregister(&registry.Service{Name: name, Version: "latest", Nodes: []*registry.Node{{Id: "node-" + gone, Address: gone}}}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "the node that stayed alone answers", func() bool {
		for range 20 {
			if text, err := ask(t, rt, http.MethodGet, nil); err != nil || text != b.Listener.Addr().String() {
				return false
			}
		}
		return true
	})
}
