package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// named returns a Conn to the proxies, all behind one name that resolves to them in
// the given order, with one port.
func named(t *testing.T, cfg Config, addrs ...string) *Conn {
	t.Helper()
	ips := make([]netip.Addr, len(addrs))
	var port uint16
	for i, addr := range addrs {
		ap := netip.MustParseAddrPort(addr)
		ips[i], port = ap.Addr(), ap.Port()
	}
	cfg.Addrs = []string{fmt.Sprintf("etcd.test:%d", port)}
	c := open(t, cfg)
	c.link.members.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "etcd.test" {
			return nil, errors.New("asked for " + host)
		}
		return ips, nil
	}
	return c
}

// silentOn takes connections at an IP and port and never says anything. It returns
// false if the port is taken there.
func silentOn(t *testing.T, addr string) bool {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	t.Cleanup(func() { _ = l.Close() })
	return true
}

// One name has three addresses, of which the first takes connections and says
// nothing, as a frozen member does. The others serve.
func TestOneNameWithASilentAddress(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	_, port, err := net.SplitHostPort(e.Addr())
	if err != nil {
		t.Fatal(err)
	}
	silent := "127.0.0.11:" + port
	if !silentOn(t, silent) {
		testkit.Require(t, "loopback", errors.New("the system has no further addresses of loopback"))
	}
	for range 5 { // it begins at random
		c := named(t, Config{Timeout: soon}, silent, e.Addr())
		begun := time.Now()
		if err := get(t, c); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 4*time.Second {
			t.Errorf("connected after %v", took)
		}
		if l := c.Link(); !strings.Contains(l.Addr, "etcd.test:"+port+" (127.0.0.1)") {
			t.Errorf("connected to %q, want the name with the IP", l.Addr)
		}
	}
}

// The member behind a name that was connected to goes silent: the next connection is
// to another one, also if the resolver gives the same order each time.
func TestOneNameWithAnAddressThatGoesSilent(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	one := testkit.StartProxy(t, e.Addr())
	_, port, _ := net.SplitHostPort(one.Addr())
	l, err := net.Listen("tcp", "127.0.0.12:"+port)
	if err != nil {
		testkit.Require(t, "loopback", fmt.Errorf("the system has no further addresses of loopback: %w", err))
	}
	new(front).serve(t, l, e.Addr())
	c := named(t, Config{Silence: 500 * time.Millisecond, Patience: 300 * time.Millisecond, Timeout: time.Second}, one.Addr(), l.Addr().String())
	testkit.Eventually(t, soon, "the first is connected to", func() bool {
		if get(t, c) == nil && strings.Contains(c.Link().Addr, "(127.0.0.1)") {
			return true
		}
		c.Reconnect(c.Link().Generation, errors.New("the test wants the other"))
		c.link.members.mu.Lock()
		clear(c.link.members.avoid)
		c.link.members.mu.Unlock()
		return false
	})
	one.Blackhole()
	gone := time.Now()
	testkit.Eventually(t, soon, "the other serves", func() bool { return get(t, c) == nil && strings.Contains(c.Link().Addr, "(127.0.0.12)") })
	if took := time.Since(gone); took > 5*time.Second {
		t.Errorf("the other serves after %v", took)
	}
}

func TestMembersOfAName(t *testing.T) {
	const name = "etcd.test:1"
	m := newMembers([]string{name, "10.0.0.9:1"})
	answer := func(ips ...string) {
		m.lookup = func(context.Context, string) ([]netip.Addr, error) {
			if len(ips) == 0 {
				return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
			}
			var all []netip.Addr
			for _, ip := range ips {
				all = append(all, netip.MustParseAddr(ip))
			}
			return all, nil
		}
	}
	of := func(addr string) string {
		t.Helper()
		all, err := m.of(t.Context(), addr)
		if err != nil {
			return err.Error()
		}
		var addrs []string
		for _, x := range all {
			addrs = append(addrs, x.addr)
		}
		return strings.Join(addrs, " ")
	}
	answer()
	if got := of(name); !strings.Contains(got, "no such host") {
		t.Errorf("an unknown name: %s", got)
	}
	answer("::ffff:10.0.0.1", "10.0.0.1", "fd00::1")
	if got := of(name); got != "10.0.0.1:1 [fd00::1]:1" || m.count() != 3 {
		t.Errorf("got %s, %d members", got, m.count())
	}
	answer("fd00::1", "10.0.0.1")
	if got := of(name); got != "[fd00::1]:1 10.0.0.1:1" {
		t.Errorf("the system prefers IPv6: got %s", got)
	}
	m.shun("[fd00::1]:1")
	if got := of(name); got != "10.0.0.1:1" {
		t.Errorf("one is silent: got %s", got)
	}
	m.shun("10.0.0.1:1")
	if got := of(name); !strings.Contains(got, `avoid "etcd.test:1"`) {
		t.Errorf("another address is well: got %s", got)
	}
	m.shun("10.0.0.9:1")
	if got := of(name); got != "[fd00::1]:1 10.0.0.1:1" || of("10.0.0.9:1") != "10.0.0.9:1" {
		t.Errorf("all are silent: got %s", got)
	}
	answer()
	if got := of(name); len(strings.Fields(got)) != 2 {
		t.Errorf("the resolver fails: got %s, want what it last said", got)
	}
	first := map[string]bool{}
	answer("10.1.0.1", "10.1.0.2", "10.1.0.3")
	for range 100 {
		first[strings.Fields(of(name))[0]] = true
	}
	if len(first) != 3 {
		t.Errorf("100 programs begin at %v", first)
	}
}
