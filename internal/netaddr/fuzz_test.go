package netaddr

import (
	"net"
	"strings"
	"testing"
	"unicode"
)

// FuzzCheck: what may be listened on or published is host:port that a dialer takes,
// and can be shown; what may not be is an error that can be shown.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", ":", ":0", "a:1", "[::1]:1", "::1:1", "[fe80::1%eth0]:1", "a b:1", "http://a:1", "a:http", "/x.sock", "a:1\n", "\x1b:1", "a:65536"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, addr string, port bool) {
		if err := Check(addr, port); err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("a control character is in %q", err)
			}
			return
		}
		if strings.ContainsFunc(addr, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			t.Fatalf("%q passes", addr)
		}
		if _, _, err := net.SplitHostPort(addr); err != nil && port {
			t.Fatalf("%q passes, and is %v", addr, err)
		}
	})
}
