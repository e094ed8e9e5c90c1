package testkit

import (
	"testing"
	"time"
)

func TestNATSLife(t *testing.T) {
	t.Parallel()
	n := StartNATS(t)
	addr := n.Addr()
	n.Kill()
	if n.answers(100 * time.Millisecond) {
		t.Fatal("a killed server answers")
	}
	n.Restart(t)
	n.Freeze(t)
	n.Thaw(t)
	Eventually(t, 10*time.Second, "a thawed server answers", func() bool { return n.answers(time.Second) })
	n.Freeze(t)
	n.Stop(t) // a frozen one stops as well
	n.Wipe()
	n.Restart(t)
	if n.Addr() != addr {
		t.Fatalf("address %s became %s", addr, n.Addr())
	}
}

func TestNATSConfig(t *testing.T) {
	t.Parallel()
	StartNATS(t, NATSTLS(NewCA(t)), NATSClientCerts(), NATSConfig(`authorization { user: "u", password: "p" }`))
}
