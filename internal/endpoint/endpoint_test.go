package endpoint

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

func TestParse(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80":       "127.0.0.1:80",
		"127.0.0.1:443":      "127.0.0.1:443", // the port says nothing about TLS
		"a.example:9":        "a.example:9",
		"a_b.local:9":        "a_b.local:9",
		"[::1]:80":           "[::1]:80",
		"https://a.com":      "https://a.com:443",
		"https://a.com:844":  "https://a.com:844",
		"https://[::1]":      "https://[::1]:443",
		"https://127.0.0.1":  "https://127.0.0.1:443",
		"https://[fe80::]:1": "https://[fe80::]:1",
	} {
		e, err := Parse(address)
		if err != nil || e.String() != want || e.Transport != GRPC {
			t.Errorf("%q: got %v, %v, want %s", address, e, err, want)
		}
	}
}

// An address decides what is dialled.
func TestParseRefuses(t *testing.T) {
	for _, address := range []string{
		"", ":", ":80", "a", "[::1]", "::1", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:00", "a:+0", "a:-0", "127.0.0.1:65536", "127.0.0.1:-1", "a:b:1",
		"unix:/run/x.sock", "unix:///run/x.sock", "unix:x", "unix-abstract:x", "unix://x:1", "/run/x.sock", "./x.sock", "@x", "@x:1/",
		"dns:///a:1", "passthrough:///a:1", "http://a:1", "xds:///a", "vsock:1:2", "npipe://a", "https://", "https:///x:1", "https://unix:///x",
		"https://https://a:1", "a b:1", "a\n:1", "a:1/path", "a:1?x", "\x00:1", "user@a:1/", "[::1:80", "::1]:80",
	} {
		if e, err := Parse(address); err == nil {
			t.Errorf("%q became %+v", address, e)
		}
	}
	_, err := Parse(strings.Repeat("x", 1<<20))
	if err == nil || len(err.Error()) > 1000 {
		t.Error("the error of a long address is as long")
	}
}

func TestOfNode(t *testing.T) {
	e, err := OfNode(&registry.Node{Address: "a:1", Metadata: map[string]string{"transport": "lean"}})
	if err != nil || e.Transport != "lean" {
		t.Errorf("got %+v, %v", e, err)
	}
	if e, _ := OfNode(&registry.Node{Address: "a:1"}); e.Transport != GRPC {
		t.Errorf("without metadata: %+v", e)
	}
}
