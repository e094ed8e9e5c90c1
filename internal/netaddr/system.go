package netaddr

import (
	"net"
	"net/netip"
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

// systemRoute connects a datagram socket, which only asks the routing table.
func systemRoute(to string) (netip.Addr, error) {
	c, err := net.Dial("udp", to)
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
