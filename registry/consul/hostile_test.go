package consul_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// says answers with a status, headers and a body.
func says(status int, contentType, index, body string) func(*front) http.HandlerFunc {
	return func(*front) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			if index != "" {
				w.Header().Set("X-Consul-Index", index)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // the asker may have gone
		}
	}
}

// TestHostileAgents has something else answer than an agent that is well, while a node
// is registered, followed and looked up. Every method says within its timeout what is
// wrong and where; nobody is told that the node left; what answers is not asked without
// a pause; and all is as before when the agent itself answers again.
func TestHostileAgents(t *testing.T) {
	t.Parallel()
	const timeout, json = 2 * time.Second, "application/json"
	// What is promised is the timeout; a machine that has other work to do gets more.
	const slack, patience = 5 * time.Second, 30 * time.Second
	agent := testkit.SharedConsul(t)
	for name, tc := range map[string]struct {
		answer func(*front) http.HandlerFunc
		want   string // a regular expression
	}{
		"500":              {says(500, "text/plain", "", "rpc error: boom"), "answers 500: rpc error: boom"},
		"500 with a novel": {says(500, "text/plain", "", strings.Repeat("boom ", 1<<20)), "answers 500: boom"},
		"no leader":        {says(500, "text/plain", "", "No cluster leader"), "no leader"},
		"403":              {says(403, "text/plain", "", "Permission denied"), "lacks a right"},
		"unknown token":    {says(403, "text/plain", "", "ACL not found"), "does not know the token"},
		"401":              {says(401, "text/plain", "", ""), "wants a login"},
		"429":              {says(429, "text/plain", "", ""), "too many connections"},
		"HTML":             {says(200, "text/html", "", "<html><body>Welcome to nginx!</body></html>"), "not a Consul agent"},
		"HTML error":       {says(502, "text/html", "", "<html><body>Bad Gateway</body></html>"), "not a Consul agent"},
		"empty body":       {says(200, json, "7", ""), "not a Consul agent"},
		"cut short":        {says(200, json, "7", `[{"Node":{"Node":"a"},"Service":{"ID":"x"`), "not a Consul agent"},
		"wrong types":      {says(200, json, "7", `{"ID":7,"Service":[1],"Tags":{"a":"b"},"service:x":7}`), "not a Consul agent"},
		"deep nesting":     {says(200, json, "7", strings.Repeat("[", 1<<20)), "not a Consul agent"},
		"control characters": {says(500, "text/plain", "", "a\x1b[31m\r\nb\x00"),
			`answers 500: a \[31m b`},
		"redirects": {func(f *front) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }
		}, "not a Consul agent"},
		"silence":     {func(f *front) http.HandlerFunc { return func(_ http.ResponseWriter, r *http.Request) { f.hang(r) } }, "no answer within"},
		"half a body": {halfABody, "no answer within"},
		"closed": {func(*front) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, "EOF"},
		"no HTTP": {noHTTP, "malformed HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frontOf(t, agent)
			service := unique("hostile." + strings.ReplaceAll(name, " ", "-"))
			r := open(t, f.addr(), registry.Timeout(timeout))
			record := func(id string) *registry.Service {
				return &registry.Service{Name: service, Version: "1", Nodes: []*registry.Node{{Id: service + id, Address: "127.0.0.1:1"}}}
			}
			testkit.Passes(t, patience, "the node is registered", func() error { return r.Register(record("-a"), registry.RegisterTTL(30*time.Second)) })
			testkit.Passes(t, patience, "the node is listed", func() error { _, err := r.GetService(service); return err })
			// Watchers have the time that it takes to read all names of all these tests.
			watching := open(t, f.addr(), registry.Timeout(patience))
			one, all := follow(t, watching, registry.WatchService(service)), follow(t, watching)

			f.turn(tc.answer(f))
			var calling sync.WaitGroup
			for what, call := range map[string]func() error{
				"Register":     func() error { return r.Register(record("-b")) },
				"GetService":   func() error { _, err := r.GetService(service); return err },
				"ListServices": func() error { _, err := r.ListServices(); return err },
				"Watch": func() error {
					w, err := r.Watch(registry.WatchService(service))
					if err == nil {
						w.Stop()
					}
					return err
				},
			} {
				calling.Go(func() {
					within(t, what, timeout+slack, func() {
						if err := call(); err == nil || !strings.Contains(err.Error(), f.addr()) || !regexp.MustCompile(tc.want).MatchString(err.Error()) {
							t.Errorf("%s: got %.500v, want an error with %s and %q", what, err, f.addr(), tc.want)
						}
					})
				})
			}
			calling.Wait()
			before, since := f.requests.Load(), time.Now()
			testkit.Elapse(t, 2*time.Second)
			// Two followers, which ask twice in a second at most, and the one of all asks two
			// things; the keeper looks once a second, and withdraws what failed.
			n := f.requests.Load() - before
			if took := time.Since(since); float64(n) > 20*took.Seconds() {
				t.Errorf("%d requests in %v", n, took)
			}
			f.turn(nil)
			testkit.Passes(t, patience, "a node can be registered", func() error { return r.Register(record("-c")) })
			for what, events := range map[string]*events{"the service": one, "everything": all} {
				testkit.Eventually(t, patience, "the new node is told to who watches "+what, func() bool {
					return events.has("create " + service + "-c")
				})
				if events.has("delete " + service + "-a") {
					t.Errorf("who watches %s was told that the node left", what)
				}
			}
		})
	}
}

// halfABody begins an answer and does not end it.
func halfABody(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Consul-Index", "7")
		_, _ = w.Write([]byte(`[`))
		w.(http.Flusher).Flush()
		f.hang(r)
	}
}

// noHTTP answers with something that is no HTTP.
func noHTTP(*front) http.HandlerFunc { return raw("SSH-2.0-OpenSSH_9.2\r\n") }

func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(text)) // the asker may have gone
		_ = conn.Close()
	}
}
