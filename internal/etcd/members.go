package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/refusal"
)

// avoidFor is the time for which a member that stopped answering is not dialed if
// there are others.
const avoidFor = 5 * time.Second

// member is one address that can be dialed.
type member struct {
	addr string // IP and port
	name string // for people: as configured, with the IP if the name has several
}

// members knows which addresses there are. A name that resolves to several is as
// good as several addresses: each is a member of its own. Its methods may be called
// by several goroutines at once.
type members struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	mu sync.Mutex
	// resolved holds, by configured address, the IPs and port that it stood for when
	// it was last looked up: itself if it is an IP.
	resolved map[string][]string
	avoid    map[string]time.Time // by IP and port: until when
}

func newMembers(configured []string) *members {
	m := &members{lookup: lookupHost, resolved: make(map[string][]string, len(configured)), avoid: map[string]time.Time{}}
	for _, addr := range configured {
		m.resolved[addr] = nil
		if _, err := netip.ParseAddrPort(addr); err == nil {
			m.resolved[addr] = []string{addr}
		}
	}
	return m
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// count returns how many members are known.
func (m *members) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]bool{}
	for configured, addrs := range m.resolved {
		if addrs == nil {
			addrs = []string{configured}
		}
		for _, a := range addrs {
			all[a] = true
		}
	}
	return len(all)
}

// shun has the member avoided for some seconds.
func (m *members) shun(addr string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.avoid[addr] = time.Now().Add(avoidFor)
}

// of returns the members that a configured address stands for now, in the order in
// which to try them: those of the family that the system prefers first, begun at
// random, so that the load of many programs is spread. Those that stopped answering
// a moment ago are left out, unless there are no others at all.
func (m *members) of(ctx context.Context, configured string) ([]member, error) {
	addrs, err := m.resolve(ctx, configured)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	shunned := func(addr string) bool { return now.Before(m.avoid[addr]) }
	good := slices.DeleteFunc(slices.Clone(addrs), shunned)
	if len(good) == 0 {
		for other, those := range m.resolved {
			if other != configured && (those == nil || slices.ContainsFunc(those, func(a string) bool { return !shunned(a) })) {
				return nil, fmt.Errorf("avoid %q, which stopped answering a moment ago", configured)
			}
		}
		good = slices.Clone(addrs)
	}
	all := make([]member, len(good))
	for i, addr := range good {
		all[i] = member{addr: addr, name: configured}
		if len(addrs) > 1 {
			host, _, _ := net.SplitHostPort(addr)
			all[i].name = fmt.Sprintf("%s (%s)", configured, host)
		}
	}
	return all, nil
}

// resolve returns the IPs and port of a configured address. What a name stood for
// the last time stands in for a resolver that fails.
func (m *members) resolve(ctx context.Context, configured string) ([]string, error) {
	if _, err := netip.ParseAddrPort(configured); err == nil {
		return []string{configured}, nil
	}
	host, port, err := net.SplitHostPort(configured)
	if err != nil {
		return nil, err
	}
	ips, err := m.lookup(ctx, host)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if err != nil {
		if last := m.resolved[configured]; len(last) > 0 {
			return last, nil
		}
		if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
			err = refusal.Mark(refusal.Mismatch, err)
		}
		return nil, err
	}
	var addrs []string
	for _, ip := range spread(ips) {
		if addr := net.JoinHostPort(ip.String(), port); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	m.resolved[configured] = addrs
	return addrs, nil
}

// spread returns the addresses in random order within each family, beginning with
// the family of the first.
func spread(ips []netip.Addr) []netip.Addr {
	all := make([]netip.Addr, len(ips))
	for i, ip := range ips {
		all[i] = ip.Unmap()
	}
	preferred := all[0].Is4()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b netip.Addr) int {
		rank := func(ip netip.Addr) int {
			if ip.Is4() == preferred {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	return all
}
