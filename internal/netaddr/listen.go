package netaddr

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Listen listens for TCP on an address, whose port may be a range such as 8000-8010: the first that is
// free.
func Listen(addr string) (net.Listener, error) {
	host, ports, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	low, high, isRange := strings.Cut(ports, "-")
	if !isRange {
		return net.Listen("tcp", addr)
	}
	first, err := strconv.ParseUint(low, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("the range of ports %q: %w", ports, err)
	}
	last, err := strconv.ParseUint(high, 10, 16)
	if err != nil || last < first {
		return nil, fmt.Errorf("the range of ports %q is none", ports)
	}
	for port := first; ; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.FormatUint(port, 10)))
		if err == nil || port == last {
			return l, err
		}
	}
}
