//go:build !linux

package testkit

import "syscall"

// dieWithParent has no effect here: the cleanup of the test ends the child.
func dieWithParent() *syscall.SysProcAttr { return nil }
