package etcd

import (
	"net"
	"strings"
	"testing"
	"unicode"
)

// FuzzParseAddrs: an address is understood, and then again in the form in which it
// was understood, or the error shows it, without what may be a password.
func FuzzParseAddrs(f *testing.F) {
	for _, seed := range []string{
		"", " ", "127.0.0.1", "127.0.0.1:2379", "http://a:1/", "https://[::1]:1", "::1", "[::1", "a:1:2", "a,b", "a:1;b:2", "unix:///x",
		"http://root:secret@10.0.0.5:2379", "ftp://a", "服务:1", "\x1b[31m:1", "fe80::1%eth0", "a:99999", "a:+1", "://",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, item string) {
		got, err := parseAddrs([]string{item}, false)
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("a control character is in %q", err)
			}
			return
		}
		if len(got.addrs) != 1 {
			t.Fatalf("%q is %q", item, got.addrs)
		}
		host, port, err := net.SplitHostPort(got.addrs[0])
		if err != nil || host == "" || port == "" || strings.ContainsFunc(host, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
			t.Fatalf("%q is understood as %q", item, got.addrs[0])
		}
		again, err := parseAddrs(got.addrs, false)
		if err != nil || again.addrs[0] != got.addrs[0] {
			t.Fatalf("%q is understood as %q, and that as %q, %v", item, got.addrs[0], again.addrs, err)
		}
	})
}
