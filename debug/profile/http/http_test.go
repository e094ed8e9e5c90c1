package http_test

import (
	"io"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/profile/http"
)

func TestServesProfilesUntilItIsStopped(t *testing.T) {
	before := http.DefaultAddress
	http.DefaultAddress = "127.0.0.1:0"
	defer func() { http.DefaultAddress = before }()
	p := http.NewProfile(profile.Name("demo"))
	at := p.(interface{ Address() string }).Address
	for range 2 {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	}
	client := &nethttp.Client{Transport: &nethttp.Transport{DisableKeepAlives: true}}
	rsp, err := client.Get("http://" + at() + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(rsp.Body)
	if rsp.Body.Close(); err != nil || rsp.StatusCode != nethttp.StatusOK || !strings.Contains(string(text), "goroutine profile: total") {
		t.Errorf("got %d %s, %v", rsp.StatusCode, text, err)
	}
	// Another one finds the address taken, and says so.
	http.DefaultAddress = at()
	if err := http.NewProfile().Start(); err == nil || !strings.Contains(err.Error(), at()) {
		t.Errorf("a second one at the same address: %v", err)
	}
	was := at()
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Get("http://" + was + "/debug/pprof/"); err == nil || at() != "" {
		t.Errorf("it serves on at %q", at())
	}
	if p.String() != "http" {
		t.Error(p.String())
	}
	http.DefaultAddress = "127.0.0.1:0"
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
}
