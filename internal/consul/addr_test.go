package consul

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"a": "http://a:8500", "a:1": "http://a:1", " a:1 ": "http://a:1", "http://a:1": "http://a:1", "https://a": "https://a:8500", "https://a/": "https://a:8500",
		"[::1]:1": "http://[::1]:1", "::1": "http://[::1]:8500", "[::1]": "http://[::1]:8500", "http://[fe80::1]": "http://[fe80::1]:8500", "unix:///run/consul.sock": "http://consul", "[fe80::1%eth0]:1": "http://[fe80::1%25eth0]:1",
	} {
		got, err := parseAddr(text, false)
		if err != nil || got.scheme+"://"+got.host != want {
			t.Errorf("%q: got %s://%s, %v", text, got.scheme, got.host, err)
		}
	}
	for text, secure := range map[string]bool{
		"": false, ":8500": false, "a:b": false, "a:99999": false, "ftp://a": false, "unix://": false, "http://a/path": false, "a b": false, "a,b": false, "http://a": true, "a:1:2": false,
	} {
		if got, err := parseAddr(text, secure); err == nil || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, secure := range []bool{false, true} {
		for _, text := range []string{"http://user:hunter2@a", "user:hunter2@a:1", "consul://user:hunter2@a", "http://a:1?token=hunter2", "a?token=hunter2", "a/v1?token=hunter2"} {
			if got, err := parseAddr(text, secure); err == nil || strings.Contains(err.Error()+got.text, "hunter2") {
				t.Errorf("an address with a secret: %+v, %v", got, err)
			}
		}
	}
	if got, err := parseAddr("a", true); err != nil || got.scheme != "https" {
		t.Errorf("with TLS: %+v, %v", got, err)
	}
}
