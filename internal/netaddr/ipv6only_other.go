//go:build !unix

package netaddr

import "net"

// IPv6Only is false: this system's sockets are not asked.
func IPv6Only(net.Listener) bool { return false }
