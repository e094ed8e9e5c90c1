//go:build unix

package testkit

import (
	"errors"
	"os"
	"syscall"
)

// terminate asks the child to end. A frozen one is thawed, or it would not hear; one
// that has ended by then is what was asked for.
func (p *process) terminate() error {
	if err := errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.thaw()); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (p *process) freeze() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

func (p *process) thaw() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
