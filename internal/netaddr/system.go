package netaddr

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

func systemInterfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			// The interface went away between the two calls.
			continue
		}
		e := Interface{
			Name:         i.Name,
			Loopback:     i.Flags&net.FlagLoopback != 0,
			PointToPoint: i.Flags&net.FlagPointToPoint != 0,
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				e.Addrs = append(e.Addrs, p.Addr())
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// lookupTimeout bounds the lookup of a registry's name. The registry is looked for
// anyway; here its name merely helps to choose.
const lookupTimeout = time.Second

// systemRoute connects a datagram socket, which only asks the routing table. Only
// a name is looked up beforehand.
func systemRoute(ctx context.Context, to string) (netip.Addr, error) {
	_, bare, schemed := strings.Cut(to, "://")
	if !schemed {
		bare = to
	}
	host, port, err := split(strings.TrimSpace(bare))
	if err != nil || host == "" {
		return netip.Addr{}, fmt.Errorf("find the route to %q: it is not host:port", to)
	}
	dialer := net.Dialer{Timeout: lookupTimeout}
	c, err := dialer.DialContext(ctx, "udp", net.JoinHostPort(host, cmp.Or(port, "9"))) // any port serves
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	if err != nil {
		return netip.Addr{}, err
	}
	return local.Addr().Unmap().WithZone(""), nil
}
