package etcd

import (
	"slices"
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
		{[]string{"http://user:pw@host:1"}, false, "colons"},
		{[]string{"h1,h2"}, false, "host name"},
		{[]string{"two words"}, false, "host name"},
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
		if !slices.ContainsFunc(tt.items, func(item string) bool { return strings.Contains(err.Error(), item) }) {
			t.Errorf("parseAddrs(%q): %v; does not quote the text", tt.items, err)
		}
	}
}
