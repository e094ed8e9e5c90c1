package consul

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/testkit"
)

// fake answers as f does. It is closed with the test.
func fake(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s
}

// client is closed with the test.
func client(t *testing.T, c Config) *Client {
	t.Helper()
	made := Open(c)
	t.Cleanup(made.Close)
	if err := made.Err(); err != nil {
		t.Fatal(err)
	}
	return made
}

func answer(w http.ResponseWriter, index int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Consul-Index", fmt.Sprint(index))
	_, _ = w.Write([]byte(body))
}

// TestHostileAnswers shows what becomes of answers that no agent should give: an error
// that names the agent and says what to do.
func TestHostileAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(w http.ResponseWriter)
		says   string
		kind   refusal.Kind
	}{
		"HTML": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}, "not a Consul agent", refusal.None},
		"HTML, refused":  {func(w http.ResponseWriter) { w.WriteHeader(502); _, _ = w.Write([]byte("<html>")) }, "not a Consul agent", refusal.None},
		"a redirect":     {func(w http.ResponseWriter) { w.Header().Set("Location", "/ui"); w.WriteHeader(301) }, "not a Consul agent", refusal.None},
		"no index":       {func(w http.ResponseWriter) { _, _ = w.Write([]byte("[]")) }, "X-Consul-Index", refusal.None},
		"half an answer": {func(w http.ResponseWriter) { answer(w, 1, `[{"Node":`) }, "not a Consul agent", refusal.None},
		"another type":   {func(w http.ResponseWriter) { answer(w, 1, `{"a":1}`) }, "not a Consul agent", refusal.None},
		"no leader":      {func(w http.ResponseWriter) { w.WriteHeader(500); _, _ = w.Write([]byte("No cluster leader")) }, "no leader", refusal.None},
		"another 500": {func(w http.ResponseWriter) {
			w.WriteHeader(500)
			_, _ = w.Write([]byte("rpc error:\n" + strings.Repeat("x", 10_000)))
		}, "rpc error: xxx", refusal.None},
		"a missing right":   {func(w http.ResponseWriter) { w.WriteHeader(403); _, _ = w.Write([]byte("Permission denied")) }, `service:read on "x"`, refusal.Right},
		"an unknown token":  {func(w http.ResponseWriter) { w.WriteHeader(403); _, _ = w.Write([]byte("ACL not found")) }, "CONSUL_HTTP_TOKEN", refusal.Login},
		"a login is wanted": {func(w http.ResponseWriter) { w.WriteHeader(401) }, "CONSUL_HTTP_AUTH", refusal.Login},
		"TLS is wanted": {func(w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte("Client sent an HTTP request to an HTTPS server.\n"))
		}, "https://", refusal.Mismatch},
		"too many connections": {func(w http.ResponseWriter) { w.WriteHeader(429) }, "http_max_conns_per_client", refusal.None},
	} {
		t.Run(name, func(t *testing.T) {
			s := fake(t, func(w http.ResponseWriter, _ *http.Request) { tc.answer(w) })
			c := client(t, Config{Addrs: []string{s.URL}})
			_, _, err := c.Service(t.Context(), "x", Query{})
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), s.URL) || !strings.Contains(err.Error(), `look up "x"`) {
				t.Fatalf("got %v, want one with %q", err, tc.says)
			}
			if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("the error quotes too much: %v", err)
			}
			if got := refusal.Of(err); got != tc.kind || errors.Is(err, fs.ErrPermission) != (tc.kind == refusal.Right || tc.kind == refusal.Login) {
				t.Errorf("it is of kind %v, want %v", got, tc.kind)
			}
		})
	}
}

// TestEndlessAnswer shows that no answer is read without end.
func TestEndlessAnswer(t *testing.T) {
	s := fake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Consul-Index", "1")
		_, _ = w.Write([]byte(`[{"Node":{"Node":"`))
		for chunk := []byte(strings.Repeat("x", 1<<16)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	c := client(t, Config{Addrs: []string{s.URL}, Timeout: time.Minute, most: 1 << 20})
	if _, _, err := c.Service(t.Context(), "x", Query{}); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v", err)
	}
}

// TestAgentThatHangs shows that neither the caller nor a goroutine waits for it.
func TestAgentThatHangs(t *testing.T) {
	s := fake(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := client(t, Config{Addrs: []string{s.URL}, Timeout: 50 * time.Millisecond})
	if _, _, err := c.Service(t.Context(), "x", Query{}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Service(ctx, "x", Query{Index: 1, Wait: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSeveralAgents shows that the first that answers is kept, and the next is asked
// after it failed, whatever it failed with.
func TestSeveralAgents(t *testing.T) {
	var ill atomic.Bool
	var asked [2]atomic.Int32
	var urls []string
	for i := range asked {
		urls = append(urls, fake(t, func(w http.ResponseWriter, r *http.Request) {
			asked[i].Add(1)
			if i == 0 && ill.Load() {
				_, _ = w.Write([]byte("<html>"))
				return
			}
			answer(w, 1, "[]")
		}).URL)
	}
	c := client(t, Config{Addrs: append([]string{"127.0.0.1:1"}, urls...)})
	look := func() {
		t.Helper()
		if _, _, err := c.Service(t.Context(), "x", Query{}); err != nil {
			t.Fatal(err)
		}
	}
	look()
	look()
	if c.Addr() != urls[0] || asked[0].Load() != 2 || asked[1].Load() != 0 {
		t.Errorf("asked %d and %d times, and keeps to %s", asked[0].Load(), asked[1].Load(), c.Addr())
	}
	ill.Store(true)
	look()
	look()
	if c.Addr() != urls[1] || asked[1].Load() != 2 || asked[0].Load() != 3 {
		t.Errorf("after the first failed: asked %d and %d times, and keeps to %s", asked[0].Load(), asked[1].Load(), c.Addr())
	}
	hangs := fake(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	patient := client(t, Config{Addrs: []string{hangs.URL, urls[1]}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // half of it for each
	defer cancel()
	if _, _, err := patient.Service(ctx, "x", Query{}); err != nil || patient.Addr() != urls[1] {
		t.Errorf("the first hangs: %v, and it keeps to %s", err, patient.Addr())
	}
	none := client(t, Config{Addrs: []string{"127.0.0.1:1", "127.0.0.1:2"}})
	if _, _, err := none.Service(t.Context(), "x", Query{}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "127.0.0.1:2") {
		t.Errorf("nobody answers: %v", err)
	}
}

// TestRequest shows what is asked.
func TestRequest(t *testing.T) {
	type seen struct{ method, uri, token, user string }
	var last atomic.Pointer[seen]
	s := fake(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		last.Store(&seen{r.Method, r.RequestURI, r.Header.Get("X-Consul-Token"), user + ":" + password})
		answer(w, 7, "null")
	})
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	c := client(t, Config{Addrs: []string{s.URL}, Datacenter: "d", Credentials: credentials.Credentials{TokenFile: file, Username: "u", Password: "p"}})
	for _, tc := range []struct {
		call func() error
		want seen
	}{
		{func() error { _, _, err := c.Service(t.Context(), "a/b %", Query{Stale: true}); return err }, seen{"GET", "/v1/health/service/a%2Fb%20%25?dc=d&stale=", "first", "u:p"}},
		{func() error { write("second"); return c.Pass(t.Context(), "s", "节点") }, seen{"PUT", "/v1/agent/check/pass/service:%E8%8A%82%E7%82%B9", "second", "u:p"}},
		{func() error {
			_, about, err := c.Services(t.Context(), Query{Index: 7, Wait: time.Second})
			if about.Index != 7 {
				t.Errorf("index %d", about.Index)
			}
			return err
		}, seen{"GET", "/v1/catalog/services?dc=d&index=7&wait=1s", "second", "u:p"}},
		{func() error { return c.Maintain(t.Context(), "s", "id", true, "why") }, seen{"PUT", "/v1/agent/service/maintenance/id?enable=true&reason=why", "second", "u:p"}},
	} {
		if err := tc.call(); err != nil {
			t.Fatal(err)
		}
		if got := *last.Load(); got != tc.want {
			t.Errorf("asked %+v, want %+v", got, tc.want)
		}
	}
}

// TestTLS shows that certificates are verified, and that files are read again.
func TestTLS(t *testing.T) {
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	cert := ca.Server(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 1, "[]") }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert.Load(t)}}
	s.StartTLS()
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca")
	trust := func(path string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	trust(other.File)
	c := client(t, Config{Addrs: []string{s.URL}, Credentials: credentials.Credentials{TLSFiles: reload.Files{CA: file}}})
	if _, _, err := c.Service(t.Context(), "x", Query{}); refusal.Of(err) != refusal.Mismatch || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	trust(ca.File)
	if _, _, err := c.Service(t.Context(), "x", Query{}); err != nil {
		t.Error(err)
	}
	plain := fake(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 1, "[]") })
	c = client(t, Config{Addrs: []string{strings.Replace(plain.URL, "http:", "https:", 1)}})
	if _, _, err := c.Service(t.Context(), "x", Query{}); refusal.Of(err) != refusal.Mismatch || !strings.Contains(err.Error(), "leave https out") {
		t.Errorf("an agent without TLS: %v", err)
	}
}

func TestFilter(t *testing.T) {
	if got, ok := filterOf("F", []string{"a", `b"`}, "x"); !ok || got != "x or F == `a` or F == `b\"`" {
		t.Errorf("got %s, %v", got, ok)
	}
	for _, ids := range [][]string{nil, {"a`"}, {"a\nb"}, make([]string, 17)} {
		if got, ok := filterOf("F", ids); ok {
			t.Errorf("%q: got %s", ids, got)
		}
	}
}
