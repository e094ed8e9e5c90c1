package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/rollcall-go/micro/internal/etcd"
)

// split returns one configuration for each different address of cfg, without the
// user: a visit logs in by itself. An error says which address is malformed.
func split(cfg etcd.Config) ([]etcd.Config, error) {
	whole := etcd.Open(cfg)
	if err := errors.Join(whole.Err(), whole.Close()); err != nil {
		return nil, err
	}
	secure := cfg.Secure || cfg.TLS != nil || slices.ContainsFunc(cfg.Addrs, func(a string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(a)), "https://")
	})
	addrs := whole.Addrs()
	slices.Sort(addrs) // they come in random order
	var each []etcd.Config
	for _, addr := range addrs {
		one := cfg
		one.Addrs, one.Secure = []string{addr}, secure
		if secure && one.TLS == nil {
			one.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		each = append(each, one)
	}
	return each, nil
}

// remote reports whether one of the addresses is on another host, as far as the
// address tells.
func remote(asked []etcd.Config) bool {
	return slices.ContainsFunc(asked, func(c etcd.Config) bool { return !loopback(c.Addrs[0]) })
}

// loopback reports whether a host:port, or a host, stays on its own machine.
func loopback(addr string) bool {
	host := hostOf(addr)
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// wildcard reports whether a host:port can be listened on, but not dialled.
func wildcard(addr string) bool {
	host := hostOf(addr)
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// endpoints returns the ip:port pairs that addr stands for.
func endpoints(ctx context.Context, addr string) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		all = append(all, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
	}
	return all, nil
}

// dialled reports what a failed dial of an etcd means.
func (v *visit) dialled(err error) {
	const fix = "name your etcd with --registry_address, or start one there (`micro server` is one)"
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		v.found.problem("etcd.unresolvable", v.addr, "correct the name in --registry_address, or the name service of this host", "%v", name)
	case errors.Is(err, syscall.ECONNREFUSED):
		v.found.problem("etcd.refused", v.addr, fix, "nothing listens there: connection refused")
	case timedOut(err):
		v.found.problem("etcd.unreachable", v.addr, "look for a firewall or a wrong address: nothing comes back from there", "no connection within %v", v.limit)
	default:
		v.found.problem("etcd.unreachable", v.addr, fix, "%v", err)
	}
}

// timedOut reports whether err is a deadline that passed.
func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
