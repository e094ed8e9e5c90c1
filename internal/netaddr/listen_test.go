package netaddr

import (
	"fmt"
	"net"
	"testing"
)

func TestARangeOfPorts(t *testing.T) {
	taken, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	if l, err := Listen(fmt.Sprintf("127.0.0.1:%d-%d", port, port)); err == nil {
		_ = l.Close()
		t.Error("a range without a free port is taken")
	}
	l, err := Listen(fmt.Sprintf("127.0.0.1:%d-65535", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Addr().String() == taken.Addr().String() {
		t.Errorf("listens on %s, which was taken", l.Addr())
	}
	for _, ports := range []string{"9-8", "x-9", "9-x", "9-70000"} {
		if l, err := Listen("127.0.0.1:" + ports); err == nil {
			_ = l.Close()
			t.Errorf("the range %s is taken", ports)
		}
	}
}
