//go:build !linux

package conn

import "syscall"

// limitSilence does nothing: only Linux lets a socket limit how long it sends in
// vain.
func limitSilence(_, _ string, _ syscall.RawConn) error { return nil }
