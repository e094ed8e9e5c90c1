package mdns

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// bulky has an endpoint for each of so many methods.
func bulky(methods int) *registry.Service {
	s := service("bulky", "a", "10.0.0.1:80")
	for i := range methods {
		field := &registry.Value{Name: fmt.Sprintf("field%d", i*i*7919), Type: fmt.Sprintf("type%d", i*31337)}
		s.Endpoints = append(s.Endpoints, &registry.Endpoint{Name: fmt.Sprintf("Bulky.Method%d", i), Request: field, Response: field})
	}
	return s
}

func TestLargeRecordsShedSchemas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		b.browse(t, "bulky")
		s := bulky(100)
		a.publish(t, s)
		s = bulky(100)
		s.Nodes[0].Metadata = map[string]string{"changed": "yes"}
		a.publish(t, s)
		testkit.Elapse(t, time.Second)
		v, err := b.Look("bulky")
		if err != nil || len(v.Services) != 1 || len(v.Services[0].Endpoints) != 100 || v.Services[0].Endpoints[7].Request != nil || v.Services[0].Endpoints[7].Name != "Bulky.Method7" {
			t.Errorf("found %+v, %v", v.Services, err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.warned) != 1 || !strings.Contains(a.warned[0], "take and return") || !strings.Contains(a.warned[0], `"a" of "bulky"`) {
			t.Errorf("warned %q, want once", a.warned)
		}
	})
}

func TestTooLargeForAnyPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSegment().host(t)
		h.publish(t, bulky(3000))
		if len(h.warned) != 1 || !strings.Contains(h.warned[0], "without its endpoints") {
			t.Errorf("warned %q", h.warned)
		}
		s := service("s", "a", "10.0.0.1:80")
		s.Nodes[0].Metadata = map[string]string{}
		for i := range 2000 {
			s.Nodes[0].Metadata[fmt.Sprint(i*7919)] = fmt.Sprint(i * i * 31337)
		}
		if err := h.Publish(s, 0); err == nil || !strings.Contains(err.Error(), "9000 at most") || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("got error %v", err)
		}
	})
}

func TestRefusedNodes(t *testing.T) {
	h := newSegment().host(t)
	for _, tc := range []struct{ name, id, address, want string }{
		{"s", "a", "localhost:80", `"localhost" is no IP address`},
		{"s", "a", ":80", "is no IP address"},
		{"s", "a", "0.0.0.0:80", "is no IP address that others can call"},
		{"s", "a", "[fe80::1%eth0]:80", "is no IP address that others can call"},
		{"s", "a", "10.0.0.1", "it is not IP:port"},
		{"s", "a", "10.0.0.1:0", `"0" is no port`},
		{"s", "a", "10.0.0.1:http", `"http" is no port`},
		{"s", "a", "10.0.0.1:65536", `"65536" is no port`},
		{"s", strings.Repeat("a", 64), "10.0.0.1:80", "at most 63"},
		{strings.Repeat("a.", 124) + "a", "a", "10.0.0.1:80", "at most 255"},
		{strings.Repeat("s.", 119) + "s", "a", "10.0.0.1:80", "at most 255"}, // listed, it is longer
	} {
		if err := h.Publish(service(tc.name, tc.id, tc.address), 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q of %q at %q: got error %v, want one with %q", tc.id, tc.name, tc.address, err, tc.want)
		}
	}
	if len(h.own) != 0 || h.transport != nil {
		t.Error("what was refused is published, or opened sockets")
	}
}
