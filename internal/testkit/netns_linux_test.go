package testkit

import (
	"strings"
	"testing"
)

func TestNetns(t *testing.T) {
	a, b := NewNetns(t), NewNetns(t)
	a.Interface(t, "eth9", "192.0.2.1/24")
	a.Join(t, b, "eth0", []string{"10.1.0.1/24", "fd01::1/64"}, []string{"10.1.0.2/24", "fd01::2/64"})
	a.ChangeAddr(t, "eth9", "192.0.2.1/24", "192.0.2.2/24")
	out, err := a.Command("ip", "-br", "addr").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	for _, want := range []string{"10.1.0.1/24", "fd01::1/64", "192.0.2.2/24"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "192.0.2.1/24") {
		t.Errorf("an address that was taken is there:\n%s", out)
	}
	if out, err := b.Command("ip", "route", "get", "10.1.0.1").CombinedOutput(); err != nil || !strings.Contains(string(out), "src 10.1.0.2") {
		t.Errorf("no way to the other host: %v\n%s", err, out)
	}
}
