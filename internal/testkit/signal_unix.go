//go:build unix

package testkit

import (
	"errors"
	"syscall"
)

// terminate asks the child to end. A frozen one is thawed, or it would not hear.
func (p *process) terminate() error {
	return errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.thaw())
}

func (p *process) freeze() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

func (p *process) thaw() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
