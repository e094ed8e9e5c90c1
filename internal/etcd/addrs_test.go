package etcd

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestParseAddrs(t *testing.T) {
	for _, tt := range []struct {
		items []string
		want  string
		tls   bool
	}{
		{nil, "127.0.0.1:2379", false},
		{[]string{"host"}, "host:2379", false},
		{[]string{"host:1"}, "host:1", false},
		{[]string{"  host:1\t"}, "host:1", false},
		{[]string{"http://127.0.0.1:2379"}, "127.0.0.1:2379", false},
		{[]string{"http://127.0.0.1:2379/"}, "127.0.0.1:2379", false},
		{[]string{"http://host"}, "host:2379", false},
		{[]string{"https://host"}, "host:2379", true},
		{[]string{"HTTPS://host:99"}, "host:99", true},
		{[]string{"https://a", "b:3"}, "a:2379 b:3", true},
		{[]string{"::1"}, "[::1]:2379", false},
		{[]string{"[::1]"}, "[::1]:2379", false},
		{[]string{"[::1]:1"}, "[::1]:1", false},
		{[]string{"https://[::1]:1"}, "[::1]:1", true},
		{[]string{"fe80::1%eth0"}, "[fe80::1%eth0]:2379", false},
		{[]string{"[fe80::1%eth0]:7"}, "[fe80::1%eth0]:7", false},
		{[]string{"a", "b", " a:2379"}, "a:2379 b:2379", false},
		{[]string{"etcd_1.my-net.example."}, "etcd_1.my-net.example.:2379", false},
	} {
		got, err := parseAddrs(tt.items, false)
		if err != nil || strings.Join(got.addrs, " ") != tt.want || got.tls != tt.tls {
			t.Errorf("parseAddrs(%q) = %v, %v; want %q, tls %v", tt.items, got, err, tt.want, tt.tls)
		}
	}
}

func TestParseAddrsRefuses(t *testing.T) {
	for _, tt := range []struct {
		items  []string
		secure bool
		want   string
	}{
		{[]string{""}, false, "empty"},
		{[]string{"a", "  "}, false, "empty"},
		{[]string{"bad:1:2"}, false, "colons"},
		{[]string{"host:"}, false, "port"},
		{[]string{":2379"}, false, "host"},
		{[]string{"host:http"}, false, "port"},
		{[]string{"host:0"}, false, "port"},
		{[]string{"host:65536"}, false, "port"},
		{[]string{"host:-1"}, false, "port"},
		{[]string{"http://"}, false, "host"},
		{[]string{"http://host/path"}, false, "host name"},
		{[]string{"h1,h2"}, false, "it holds a comma: give each address by itself"},
		{[]string{"h1:2379,h2:2379"}, false, "it holds a comma: give each address by itself"},
		{[]string{"http://h1:2379, http://h2:2379"}, false, "it holds a comma"},
		{[]string{"h1:2379;h2:2379"}, false, "it holds a semicolon"},
		{[]string{"h1:2379 h2:2379"}, false, "it holds a blank"},
		{[]string{"h1:2379\th2:2379"}, false, "it holds a blank"},
		{[]string{"two words"}, false, "it holds a blank"},
		{[]string{"h1|h2"}, false, "it holds a bar"},
		{[]string{"h1,"}, false, "it holds a comma"},
		{[]string{"::%\x1b[31m"}, false, "colons"},
		{[]string{"[fe80::1%a\u202e]:1"}, false, "IPv6"},
		{[]string{"a\x7f"}, false, "host name"},
		{[]string{"服务"}, false, "host name"},
		{[]string{"300.1.1.1"}, false, "host name"},
		{[]string{"a..b"}, false, "host name"},
		{[]string{"[::1"}, false, "bracket"},
		{[]string{"[::1]1"}, false, "port"},
		{[]string{"[host]:1"}, false, "IPv6"},
		{[]string{"unix:///run/etcd.sock"}, false, "unix sockets"},
		{[]string{"etcd://host"}, false, "scheme"},
		{[]string{"http://host"}, true, "TLS"},
		{[]string{"http://a", "https://b"}, false, "mixed"},
	} {
		got, err := parseAddrs(tt.items, tt.secure)
		if err == nil {
			t.Errorf("parseAddrs(%q) = %v, want an error", tt.items, got)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("parseAddrs(%q): %v; want %q in it", tt.items, err, tt.want)
		}
		if !slices.ContainsFunc(tt.items, func(item string) bool { return strings.Contains(err.Error(), strconv.Quote(item)[1:]) }) {
			t.Errorf("parseAddrs(%q): %v; does not quote the text", tt.items, err)
		}
	}
}

// Who writes a password or a token into an address does not read it in a log.
func TestSecretsInAnAddressAreNotShown(t *testing.T) {
	for _, item := range []string{
		"http://root:Hunter2@10.0.0.5:2379", "root:Hunter2@10.0.0.5:2379", "https://root:Hunter2@h", "Hunter2@h:1", "http://a:Hunter2/x@h:1",
		"http://a:Hunter2@x@h:1", "http://a:Hunter2,b@h:1", "http://a:Hunter2@h1:1,http://b:Hunter2@h2:1", "http://a:Hunter2://x@h:1",
		"a:Hunter2://x@h:1", "  http://root:Hunter2@h:1\t", "http://root:Hunter2@", "unix://root:Hunter2@/x", "http://root:Hunter2@h:1?x=y", "root:Hunter2 @h:1",
		"http://h:1?token=Hunter2", "h?Hunter2", "h:1/?token=Hunter2,h2:1", "unix:///x?token=Hunter2",
	} {
		c := Open(Config{Addrs: []string{"a:1", item}})
		for _, err := range []error{c.Err(), get(t, c), c.Explain("x", c.Err())} {
			if err == nil || strings.Contains(err.Error(), "Hunter2") || !strings.Contains(err.Error(), "do not belong in the address") {
				t.Errorf("%q: %v", item, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
