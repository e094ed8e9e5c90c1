package net_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	mnet "github.com/rollcall-go/micro/compat/util/net"
)

func TestHostPort(t *testing.T) {
	for _, tc := range []struct {
		addr string
		port any
		want string
	}{
		{"10.0.0.1", 80, "10.0.0.1:80"}, {"10.0.0.1", 0, "10.0.0.1:0"}, {"10.0.0.1", "80", "10.0.0.1:80"},
		{"queue", 0, "queue"}, {"queue", "", "queue"}, {"fe80::1", 80, "[fe80::1]:80"}, {"fe80::1", "", "[fe80::1]"},
	} {
		if got := mnet.HostPort(tc.addr, tc.port); got != tc.want {
			t.Errorf("%q and %v: got %q, want %q", tc.addr, tc.port, got, tc.want)
		}
	}
}

// listener says where it was made.
type listener struct {
	net.Listener
	at string
}

func TestListen(t *testing.T) {
	taken := errors.New("taken")
	for _, tc := range []struct{ addr, free, want, err string }{
		{"host:80", "host:80", "host:80", ""},
		{"host:80-82", "host:81", "host:81", ""},
		{"host:80-82", "host:83", "", "taken"},
		{"[::1]:80-81", "[::1]:80", "[::1]:80", ""},
		{"[::1]:80", "[::1]:80", "[::1]:80", ""},
		{"host:82-80", "", "", "empty"},
		{"host:a-b", "", "", "read the range"},
		{"host", "", "", "missing port"},
	} {
		l, err := mnet.Listen(tc.addr, func(at string) (net.Listener, error) {
			if at != tc.free {
				return nil, taken
			}
			return listener{at: at}, nil
		})
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, want %q", tc.addr, err, tc.err)
			}
		case err != nil || l.(listener).at != tc.want:
			t.Errorf("%s: got %v, %v, want %s", tc.addr, l, err, tc.want)
		}
	}
}

func TestCallsGoToTheServicesThemselves(t *testing.T) {
	t.Setenv("MICRO_PROXY", "service")
	if s, at, proxied := mnet.Proxy("shop", []string{"a:1"}); s != "shop" || len(at) != 1 || proxied {
		t.Errorf("got %s, %v, %t", s, at, proxied)
	}
}
