package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestMicroTool runs the tool of go-micro v2 against a fleet of ours and one node of v2.
func TestMicroTool(t *testing.T) {
	e := testkit.StartEtcd(t)
	add := services(t, e.Addr())
	add("go.micro.api.welcome", &Welcome{})
	add("go.micro.api.page", &Page{})
	events := make(listener, 1)
	add("go.micro.srv.listener", subscription{"go.micro.api.parcel", events})
	startSite(t, e.Addr())
	old := run(t, v2, e.Addr(), "interop.v2")
	old.start(peer.Service{Name: "go.micro.srv.old", ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second})
	m := newTool(t, e.Addr())

	t.Run("command", func(t *testing.T) { t.Parallel(); m.commands(t) })
	t.Run("our command", func(t *testing.T) { t.Parallel(); ourCommands(t, e.Addr()) })
	for handler, requests := range gateway {
		t.Run("api "+handler, func(t *testing.T) {
			t.Parallel()
			at := m.serve(t, "api", "--namespace=go.micro", "--type=api", "--enable_rpc", "--handler="+handler)
			for _, r := range requests {
				r.try(t, at)
			}
			if handler == "event" {
				events.arrived(t)
			}
		})
	}
	t.Run("web", func(t *testing.T) {
		t.Parallel()
		at := m.serve(t, "web", "--namespace=go.micro")
		for _, r := range pages {
			r.try(t, at)
		}
	})
}

// commands runs the commands that ask services.
func (m tool) commands(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string // a regular expression
	}{
		{[]string{"list", "services"}, `(?s)go\.micro\.api\.page\n.*go\.micro\.api\.welcome\n.*go\.micro\.srv\.old`},
		{[]string{"get", "service", "go.micro.api.welcome"}, `(?s)service  go\.micro\.api\.welcome\n.*go\.micro\.api\.welcome-one\s+127\.0\.0\.1:\d+.*protocol=grpc.*Endpoint: Welcome\.Hello`},
		{[]string{"call", "go.micro.api.welcome", "Welcome.Hello", `{"name": "John"}`}, `"greeting": "Hello John"`},
		{[]string{"health", "go.micro.api.welcome"}, `go\.micro\.api\.welcome-one\s+127\.0\.0\.1:\d+\s+ok\n`},
		{[]string{"health", "go.micro.srv.old"}, `go\.micro\.srv\.old-one\s+127\.0\.0\.1:\d+\s+ok\n`},
		{[]string{"stats", "go.micro.api.welcome"}, `go\.micro\.api\.welcome-one\s+127\.0\.0\.1:\d+\s+\w{3} \d+ [0-9:]{8}\s+\S+\s+[0-9.]+mb\s+\d+\s+\S+\n`},
	} {
		if got := m.run(t, tc.args...); !regexp.MustCompile(tc.want).MatchString(got) {
			t.Errorf("micro %s prints\n%s", strings.Join(tc.args, " "), got)
		}
	}
}

// ourCommands runs the commands of ours that ask nodes, on a node of v2.
func ourCommands(t *testing.T, etcd string) {
	micro := testkit.Micro(t)
	for _, tc := range []struct {
		args []string
		want string // a regular expression
	}{
		{[]string{"health", "go.micro.srv.old"}, `go\.micro\.srv\.old-one +127\.0\.0\.1:\d+ +\S+ +ok\n`},
		{[]string{"stats", "go.micro.srv.old"}, `go\.micro\.srv\.old-one +127\.0\.0\.1:\d+ +20\d\d-`},
		{[]string{"logs", "go.micro.srv.old"}, `go\.micro\.srv\.old-one  file=.* level=info  Registry \[etcd\] Registering node: go\.micro\.srv\.old-one\n`},
		{[]string{"trace", "go.micro.srv.old"}, `SPAN +KIND +STARTED +TOOK +NODE +ERROR\n`},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), replyTimeout)
		out, err := exec.CommandContext(ctx, micro, append(tc.args, "--registry=etcd", "--registry_address="+etcd)...).CombinedOutput()
		cancel()
		if err != nil || !regexp.MustCompile(tc.want).Match(out) {
			t.Errorf("micro %s: %v\n%s", strings.Join(tc.args, " "), err, out)
		}
	}
}

// httpCase is a request to the tool, and what is to come of it.
type httpCase struct {
	method, path string
	body         string // of application/json, unless it is empty
	status       int
	want         string // a regular expression
}

func (c httpCase) try(t *testing.T, address string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rsp, err := (&http.Client{Timeout: replyTimeout}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	text, err := io.ReadAll(rsp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if rsp.StatusCode != c.status || !regexp.MustCompile(c.want).Match(text) {
		if short := new(bytes.Buffer); json.Compact(short, text) == nil {
			text = short.Bytes()
		}
		t.Errorf("%s %s %s: got %d %s, want %d %s", c.method, c.path, c.body, rsp.StatusCode, text, c.status, c.want)
	}
}

// gateway are the requests to the API gateway, by its handler.
var gateway = map[string][]httpCase{
	"rpc": {
		{"POST", "/welcome/hello", `{"name":"John"}`, 200, `^\{"greeting":"Hello John"\}$`},
		{"GET", "/welcome/hello?name=John", "", 200, `^\{"greeting":"Hello John"\}$`},
		{"POST", "/welcome/hello", `{}`, 400, `"detail":"say a name"`},
		{"POST", "/nobody/hello", `{}`, 500, `service go\.micro\.api\.nobody not found|not found`},
		{"POST", "/rpc", `{"service":"go.micro.api.welcome","endpoint":"Welcome.Hello","request":{"name":"John"}}`, 200, `^\{"greeting":"Hello John"\}$`},
		{"POST", "/rpc", `{"service":"go.micro.api.welcome","endpoint":"Welcome.Hello","request":{}}`, 400, `"detail":"say a name"`},
	},
	"api": {
		{"POST", "/page/show?name=John", `{"a":1}`, 418, `^/page/show for John with \{"a":1\}$`},
		{"GET", "/page/show", "", 400, `"detail":"say a name"`},
	},
	"event": {
		{"POST", "/parcel/arrived", `{"weight":7}`, 200, `^$`},
	},
	"http": {
		{"GET", "/site/page?q=1", "", 200, `^GET /site/page\?q=1 $`},
		{"POST", "/site/form", `{"a":1}`, 200, `^POST /site/form \{"a":1\}$`},
		{"GET", "/site/missing", "", 404, `^404 page not found`},
	},
	"web": {
		{"GET", "/site/page?q=1", "", 200, `^GET /site/page\?q=1 $`},
	},
	"meta": {
		{"POST", "/welcome/hello", `{"name":"John"}`, 200, `^\{"greeting":"Hello John"\}$`},
	},
}

// pages are the requests to the web page.
var pages = []httpCase{
	{"GET", "/services", "", 200, `(?s)go\.micro\.api\.welcome.*go\.micro\.srv\.old`},
	{"GET", "/service/go.micro.api.welcome", "", 200, `(?s)go\.micro\.api\.welcome-one.*Welcome\.Hello`},
	{"GET", "/", "", 200, `(?i)site`},
	{"GET", "/site/page?q=1", "", 200, `^GET /page\?q=1 $`},
	{"POST", "/site/form", `{"a":1}`, 200, `^POST /form \{"a":1\}$`},
	{"GET", "/site/missing", "", 404, `^404 page not found`},
	{"GET", "/client", "", 200, `go\.micro\.api\.welcome`},
	{"POST", "/rpc", `{"service":"go.micro.api.welcome","endpoint":"Welcome.Hello","request":{"name":"John"}}`, 200, `^\{"greeting":"Hello John"\}$`},
}
