package txt

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		got  func() (string, error)
		want string
	}{
		{func() (string, error) { return Service("go.micro.greeter", "micro") }, "go.micro.greeter.micro."},
		{func() (string, error) { return Instance("n.with.dots", "s", "micro") }, "n.with.dots.s.micro."},
		{func() (string, error) { return Instance("服务 1", "s", "a.b") }, "服务 1.s.a.b."},
		{func() (string, error) { return Listing("micro") }, "_services.micro."},
		{func() (string, error) { return Listed("s", "micro") }, "s._services.micro."},
		{func() (string, error) { return Types("micro") }, "_services._dns-sd._udp.micro."},
		{func() (string, error) { return Instance(strings.Repeat("a", 63), "s", "micro") }, strings.Repeat("a", 63) + ".s.micro."},
	} {
		if got, err := tc.got(); err != nil || got != tc.want {
			t.Errorf("got %q, %v, want %q", got, err, tc.want)
		}
	}
}

func TestNamesRefused(t *testing.T) {
	dotted := strings.TrimSuffix(strings.Repeat(strings.Repeat("a", 49)+".", 6), ".")
	for _, tc := range []struct{ id, service, domain, want string }{
		{strings.Repeat("a", 64), "s", "micro", "64 bytes between two dots, at most 63"},
		{"n", strings.Repeat("s", 300), "micro", "300 bytes between two dots, at most 63"},
		{dotted, "s", "micro", "takes 309 bytes, at most 255"},
		{"", "s", "micro", "nothing before a dot"},
		{".n", "s", "micro", "nothing before a dot"},
		{"n", "s.", "micro", "nothing before a dot"},
		{"n", "s", "", "behind the last one"},
		{"n", "s", "micro.", "behind the last one"},
		{"a\nb", "s", "micro", "control character"},
		{"\xff", "s", "micro", "not UTF-8"},
		{"n", "_services", "micro", "use another name"},
		{"n", "x._services", "micro", "use another name"},
	} {
		if name, err := Instance(tc.id, tc.service, tc.domain); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q of %q in %q: got %q, %v, want an error with %q", tc.id, tc.service, tc.domain, name, err, tc.want)
		}
	}
	for _, bad := range []string{"", ".", "a..b", strings.Repeat("a.", 120) + "a", "micro."} {
		if err := CheckDomain(bad); err == nil {
			t.Errorf("domain %q: no error", bad)
		}
	}
	if err := CheckDomain(DefaultDomain); err != nil {
		t.Error(err)
	}
}

func TestNamesReadBack(t *testing.T) {
	for _, tc := range []struct{ name, service, domain, id string }{
		{"n.with.dots.s.micro.", "s", "micro", "n.with.dots"},
		{"s.s.s.micro.", "s.s", "micro", "s"},
		{"n.s.micro", "s", "micro", ""},
		{"n.s.micro.", "t", "micro", ""},
		{"n.S.micro.", "s", "micro", ""},
		{".s.micro.", "s", "micro", ""},
		{"s.micro.", "s", "micro", ""},
		{"ns.micro.", "s", "micro", ""},
		{"", "", "", ""},
	} {
		if id, ok := NodeID(tc.name, tc.service, tc.domain); id != tc.id && ok || ok != (tc.id != "") {
			t.Errorf("%q of %q: got %q, %v, want %q", tc.name, tc.service, id, ok, tc.id)
		}
	}
	if s, ok := ListedName("go.micro.greeter._services.micro.", "micro"); !ok || s != "go.micro.greeter" {
		t.Errorf("got %q, %v", s, ok)
	}
	if s, ok := ListedName("_services.micro.", "micro"); ok {
		t.Errorf("got %q", s)
	}
}
