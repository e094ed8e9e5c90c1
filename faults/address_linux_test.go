package faults

import (
	"regexp"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/server"
)

// Row E1. Fault: a host has the addresses of a bridge, of another network, and of the one
// on which the registry is. Bound: the latter is registered, or the one that was
// asked for, and the log says which, among which, and why.
func TestE1WhichOfSeveralAddresses(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "10.77.0.1/24", "10.77.0.2/24")
	n.app.Interface(t, "docker0", "172.17.0.1/16")
	n.app.Interface(t, "eth1", "10.50.0.5/24")
	for _, tc := range []struct {
		name  string
		env   []string
		flags []string
		want  string
		says  string
	}{
		{"by the route to the registry", nil, nil, "10.77.0.2", "on the route to the registry"},
		{"by interface", nil, []string{"--server_advertise_interface=eth1"}, "10.50.0.5", "of interface eth1"},
		{"by variable", []string{"MICRO_SERVER_ADVERTISE_INTERFACE=docker0"}, nil, "172.17.0.1", "of interface docker0"},
		{"by network", nil, []string{"--server_advertise_cidr=10.50.0.0/16"}, "10.50.0.5", "within 10.50.0.0/16"},
		{"by the variable of the pod", []string{"POD_IP=10.50.0.5"}, nil, "10.50.0.5", "given"},
		{"by address", []string{"POD_IP=10.50.0.5"}, []string{"--server_advertise=10.77.0.2"}, "10.77.0.2", "given"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := n.run(t, tc.env, tc.flags...)
			p.Says(t, "Advertising "+tc.want+":")
			p.Says(t, regexp.QuoteMeta(tc.says))
			n.has(t, tc.want)
			if tc.env == nil && tc.flags == nil {
				p.Says(t, regexp.QuoteMeta("10.50.0.5 (private address of eth1)"))
				p.Says(t, regexp.QuoteMeta("10.77.0.2 (private address of eth0)"))
				p.Says(t, regexp.QuoteMeta(", 172.17.0.1 (bridge or tunnel address of docker0)"))
				n.answers(t)
			}
			p.Stop(t)
		})
	}
}

// Row E2. Fault: a host has no private address. Bound: the one of a provider's network or a
// public one is registered, and loopback only with a warning when there is nothing
// else.
func TestE2NeverLoopback(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, reg, app, want string }{
		{"provider's network", "100.64.0.1/24", "100.64.0.2/24", "100.64.0.2"},
		{"public", "203.0.113.1/24", "203.0.113.2/24", "203.0.113.2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, tc.reg, tc.app)
			n.run(t, nil).Says(t, "Advertising "+tc.want+":")
			n.has(t, tc.want)
			n.answers(t)
		})
	}
	t.Run("registry on the same host", func(t *testing.T) {
		t.Parallel()
		n := alone(t, "127.0.0.1")
		n.app.Interface(t, "eth1", "10.50.0.5/24")
		n.run(t, nil)
		n.has(t, "10.50.0.5")
	})
	t.Run("nothing else", func(t *testing.T) {
		t.Parallel()
		n := alone(t, "127.0.0.1")
		p := n.run(t, nil)
		p.Says(t, "Advertising 127.0.0.1:")
		p.Says(t, "other hosts cannot reach it")
		n.has(t, "127.0.0.1")
		n.answers(t)
	})
}

// Row E3. Fault: there is no IPv4. Bound: the node registers, is found and is called, by
// the command as well.
func TestE3IPv6Alone(t *testing.T) {
	t.Parallel()
	t.Run("two hosts", func(t *testing.T) {
		t.Parallel()
		n := newNetwork(t, "fd77::1/64", "fd77::2/64")
		n.run(t, nil)
		n.has(t, "fd77::2")
		n.answers(t)
	})
	t.Run("loopback", func(t *testing.T) {
		t.Parallel()
		n := alone(t, "::1")
		n.run(t, nil, "--server_address=[::1]:0")
		n.has(t, "::1")
		n.answers(t)
	})
}

// Row E4. Fault: the host's address changes while the service runs. Bound: the new one is
// registered within one re-check and 1 s.
func TestE4TheAddressChanges(t *testing.T) {
	t.Parallel()
	const recheck = 2 * time.Second
	n := newNetwork(t, "10.77.0.1/24", "10.77.0.2/24")
	n.app.Interface(t, "eth1", "10.50.0.5/24")
	p := n.run(t, nil, "--server_advertise_interface=eth1", "--register_interval=2")
	n.has(t, "10.50.0.5")
	begin := time.Now()
	n.app.ChangeAddr(t, "eth1", "10.50.0.5/24", "10.50.0.6/24")
	within(t, "until the new address was registered", n.has(t, "10.50.0.6").Sub(begin), recheck+time.Second)
	p.Says(t, "Advertising 10.50.0.6:")
}

// Row E4. Fault: the address changes over which the registry is reached as well, so that
// the connection to it is cut off without a word. Bound: the new one is registered
// within one re-check after the silence is noticed, 7 s, and 4 s.
func TestE4TheWayToTheRegistryChanges(t *testing.T) {
	t.Parallel()
	const recheck, silence = 2 * time.Second, 7 * time.Second
	n := newNetwork(t, "10.77.0.1/24", "10.77.0.2/24")
	n.run(t, nil, "--register_interval=2")
	n.has(t, "10.77.0.2")
	begin := time.Now()
	n.app.ChangeAddr(t, wire, "10.77.0.2/24", "10.77.0.3/24")
	within(t, "until the new address was registered", n.has(t, "10.77.0.3").Sub(begin), recheck+silence+4*time.Second)
	n.answers(t)
}

// Row E4. Fault: the host sleeps for two TTLs. Bound: the node is listed again within 2 s,
// and 2 s of jitter, of its waking.
func TestE4TheHostSleeps(t *testing.T) {
	t.Parallel()
	const ttl = 2 * time.Second
	e := testkit.StartEtcd(t)
	p := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr(), "--register_ttl=2")
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "node", 1) })
	p.Freeze(t)
	testkit.Elapse(t, 2*ttl)
	p.Thaw(t)
	if !fleet.Listed(r, "node", 0) {
		t.Error("nothing was disturbed: the node is still listed")
	}
	within(t, "until the node was listed again", since(t, time.Now(), "it is listed", func() bool { return fleet.Listed(r, "node", 1) }), listedAgain)
}

// Row E5. Fault: callers can reach the host by another name only. Bound: a host name can be
// registered, and is called.
func TestE5HostName(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	fleet.Service(t, "named", fleet.Registry(t, e.Addr()), []server.Option{server.Advertise("localhost")})
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(r, "named", 1) })
	all, err := fleet.Addresses(r, "named")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range all {
		t.Logf("measured: registered as %s", address)
		if len(address) < len("localhost:1") || address[:len("localhost:")] != "localhost:" {
			t.Errorf("registered %q, want the name and the port", address)
		}
	}
	fleet.MustSay(t, fleet.Client(t, r), "named")
}
