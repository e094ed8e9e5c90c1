package testkit

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// StartSeparateCluster starts a cluster whose members are in network namespaces of
// their own, so that Isolate can cut one off from the others. Each has two links:
// one to a switch, over which the members meet, and one to the test. Where the test
// may not make namespaces it is skipped as Require says.
func StartSeparateCluster(t testing.TB) *Cluster {
	t.Helper()
	hub := NewNetns(t)
	hub.IP(t, "link", "add", "hub", "type", "bridge")
	hub.IP(t, "link", "set", "hub", "up")
	c := &Cluster{link: func(t testing.TB, i int, state string) {
		t.Helper()
		hub.IP(t, "link", "set", peerLink(i), state)
	}}
	// Links to the test are on its own network, so nobody else may have the same.
	lab := rand.IntN(1 << 14)
	address := func(last int) string { return fmt.Sprintf("10.%d.%d.%d", 64+lab>>8, lab&0xff, last) }
	for i := range c.Members {
		ns, outer := NewNetns(t), fmt.Sprintf("rollcall%x-%d", lab, i)
		peer := fmt.Sprintf("10.63.0.%d", i+1)
		ns.Join(t, hub, peerLink(i), []string{peer + "/24"}, nil)
		hub.IP(t, "link", "set", peerLink(i), "master", "hub")

		mine, its := address(4*i+1), address(4*i+2)
		for _, args := range [][]string{
			{"link", "add", outer, "type", "veth", "peer", "name", "clients", "netns", ns.name},
			{"addr", "add", mine + "/30", "dev", outer},
			{"link", "set", outer, "up"},
		} {
			if err := runIP(args...); err != nil {
				t.Fatal(err)
			}
		}
		ns.IP(t, "link", "set", "clients", "up")
		ns.AddAddr(t, "clients", its+"/30")
		c.Members[i] = &Etcd{
			kind:   Debian,
			addr:   its + ":2379",
			member: &member{peer: peer + ":2380", namespace: []string{"ip", "netns", "exec", ns.name}},
		}
	}
	c.start(t)
	return c
}

func peerLink(i int) string { return fmt.Sprintf("peer%d", i) }

// Isolate cuts one member off from the others. Clients still reach all of them. It
// is for a cluster in namespaces.
func (c *Cluster) Isolate(t testing.TB, i int) {
	t.Helper()
	c.link(t, i, "down")
}

// Rejoin ends Isolate.
func (c *Cluster) Rejoin(t testing.TB, i int) {
	t.Helper()
	c.link(t, i, "up")
}
