//go:build !unix

package testkit

import "errors"

// terminate kills: there is no way to ask on this system.
func (p *process) terminate() error { return p.cmd.Process.Kill() }

func (p *process) freeze() error { return errors.ErrUnsupported }

func (p *process) thaw() error { return errors.ErrUnsupported }
