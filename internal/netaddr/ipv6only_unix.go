//go:build unix

package netaddr

import (
	"net"
	"syscall"
)

// IPv6Only reports whether a listener bound to :: was told to take no IPv4, as one
// of network tcp6 is. It is false for a listener that does not show its socket.
func IPv6Only(l net.Listener) bool {
	s, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	only := false
	err = raw.Control(func(fd uintptr) {
		n, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY)
		only = err == nil && n != 0
	})
	return err == nil && only
}
