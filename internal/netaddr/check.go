package netaddr

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Check returns what keeps addr from being an address to listen on or to publish:
// host:port, an IPv6 host in brackets, where the host may be missing, and the port
// as well unless it is demanded.
func Check(addr string, port bool) error {
	if scheme, _, ok := strings.Cut(addr, "://"); ok {
		return fmt.Errorf("want host:port, without %q", scheme+"://")
	}
	if strings.ContainsFunc(addr, func(r rune) bool { return r <= ' ' || r == '/' || r == '"' }) {
		return errors.New("want host:port, without blanks or slashes")
	}
	host, p, err := split(addr)
	if err != nil {
		return errors.New("want host:port, an IPv6 host in brackets")
	}
	switch {
	case p == "" && port:
		return errors.New("the port is missing: want host:port")
	case p != "":
		if _, err := net.LookupPort("tcp", p); err != nil {
			return fmt.Errorf("%q is not a port", p)
		}
	}
	if strings.ContainsAny(host, ":%") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%q is not a host", host)
		}
	}
	return nil
}
