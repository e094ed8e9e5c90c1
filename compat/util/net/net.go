// Package net has what go-micro v2's util/net has: addresses with a port, and listening
// on one of several. It is frozen: new code takes package net of the standard library.
package net

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// HostPort joins a host, or an address of IPv6, and a port for dialing. Without a port,
// which is an empty string or, of a name, the number 0, it returns the host alone.
func HostPort(addr string, port any) string {
	host := addr
	if strings.Contains(addr, ":") {
		host = "[" + addr + "]"
	}
	if port == "" || port == 0 && net.ParseIP(host) == nil {
		return host
	}
	return fmt.Sprintf("%s:%v", host, port)
}

// Listen calls fn, which is to listen, with the address; of an address whose port is a
// range, such as localhost:5000-6000, with one port after the other until fn succeeds.
func Listen(addr string, fn func(string) (net.Listener, error)) (net.Listener, error) {
	colon := strings.LastIndexByte(addr, ':')
	low, high, isRange := strings.Cut(addr[colon+1:], "-")
	if colon >= 0 && !isRange {
		return fn(addr)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	first, err := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err = errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("listen on %q: read the range of ports: %w", addr, err)
	}
	err = fmt.Errorf("listen on %q: the range of ports is empty", addr)
	for port := first; port <= last; port++ {
		var l net.Listener
		if l, err = fn(HostPort(host, port)); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// Proxy returns what it is given, and false: calls go to the services themselves,
// whatever MICRO_PROXY says.
func Proxy(service string, address []string) (string, []string, bool) {
	return service, address, false
}
