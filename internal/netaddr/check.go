package netaddr

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode"
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
	if _, err := ParseIP(host); err != nil && strings.ContainsFunc(host, notInName) {
		return fmt.Errorf("%q is not a host", host)
	}
	return nil
}

// notInName reports whether r cannot be part of a host's name, in any script.
// Underscores are no part of one by the book, but container networks have them.
func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("-._", r)
}

// ParseIP is netip.ParseAddr for addresses that come from outside: the zone of an
// IPv6 address, which may hold anything by the book, must be what an interface can
// be called.
func ParseIP(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ip, err
	}
	if strings.ContainsFunc(ip.Zone(), notInZone) {
		return netip.Addr{}, fmt.Errorf("parse IP address %q: the zone is not the name of an interface", s)
	}
	return ip, nil
}

func notInZone(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:", r)
}
