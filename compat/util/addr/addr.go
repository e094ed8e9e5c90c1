// Package addr has what go-micro v2's util/addr has: the addresses of this host. It is
// frozen: a service finds the address that it registers by itself, and
// docs/DEFAULTS.md says how.
package addr

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
)

var (
	mu sync.RWMutex
	// private are the networks whose addresses Extract prefers.
	private = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fd00::/8"),
	}
)

// AppendPrivateBlocks adds networks, such as 10.0.0.0/8, to those whose addresses
// Extract prefers. What is no network is left out.
func AppendPrivateBlocks(bs ...string) {
	mu.Lock()
	defer mu.Unlock()
	for _, b := range bs {
		if p, err := netip.ParsePrefix(b); err == nil {
			private = append(private, p.Masked())
		}
	}
}

func isPrivate(ip netip.Addr) bool {
	mu.RLock()
	defer mu.RUnlock()
	return slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// IsLocal reports whether a host, or a host and port, is localhost or an address of this
// host.
func IsLocal(addr string) bool {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	return addr == "localhost" || slices.Contains(IPs(), addr)
}

// Extract returns addr, or, where it is empty or stands for every interface, the first
// private address of this host, else another of its own.
func Extract(addr string) (string, error) {
	switch addr {
	case "", "0.0.0.0", "[::]", "::":
	default:
		return addr, nil
	}
	own, loopback := addresses()
	own = append(own, loopback...)
	if len(own) == 0 {
		return "", errors.New("find an address of this host: it has none; give one")
	}
	if i := slices.IndexFunc(own, isPrivate); i >= 0 {
		return own[i].String(), nil
	}
	return own[len(own)-1].String(), nil
}

// IPs returns the addresses of this host, loopback among them.
func IPs() []string {
	own, loopback := addresses()
	var texts []string
	for _, ip := range append(loopback, own...) {
		texts = append(texts, ip.String())
	}
	return texts
}

// addresses returns the addresses of this host, those of loopback apart. An interface
// that goes meanwhile has none.
func addresses() (own, loopback []netip.Addr) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, nil
	}
	for _, i := range interfaces {
		at, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range at {
			p, err := netip.ParsePrefix(a.String())
			switch {
			case err != nil:
			case i.Flags&net.FlagLoopback != 0:
				loopback = append(loopback, p.Addr())
			default:
				own = append(own, p.Addr())
			}
		}
	}
	return own, loopback
}
