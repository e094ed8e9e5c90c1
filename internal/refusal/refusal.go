// Package refusal tells the errors of a registry that somebody has to mend from
// those that pass by themselves. Who waits for a registry that is away may wait for
// as long as there is time; who was refused is told so at once.
package refusal

import (
	"errors"
	"io/fs"
	"time"
)

// Kind is why the registry cannot be used until somebody mends something.
type Kind int

const (
	// None: the error may pass by itself.
	None Kind = iota
	// Login: the registry does not accept who we are, or wants to know and was not
	// told: a wrong password, no password.
	Login
	// Right: the registry knows who we are, and that lacks a right.
	Right
	// Mismatch: what is configured does not fit the server that was found, or there
	// is no such server: a certificate that does not verify, plain text for a server
	// that wants TLS, a name that does not resolve. That may yet change within
	// moments, as when both are being started.
	Mismatch
)

// mismatchPatience is how long a mismatch is waited for.
const mismatchPatience = 500 * time.Millisecond

// Patience returns how long it is worth waiting for an error of this kind to pass.
// It reports false for None, which is worth any wait.
func (k Kind) Patience() (time.Duration, bool) {
	switch k {
	case Login, Right:
		return 0, true
	case Mismatch:
		return mismatchPatience, true
	default:
		return 0, false
	}
}

// marked is an error with its kind.
type marked struct {
	error
	kind Kind
}

// Unwrap returns the error, and fs.ErrPermission beside a missing login or right.
func (m marked) Unwrap() []error {
	if m.kind == Mismatch {
		return []error{m.error}
	}
	return []error{m.error, fs.ErrPermission}
}

// Mark returns err as one of the kind. It stays in the chain, and errors.Is finds
// fs.ErrPermission for Login and Right. An err that is nil or has a mark, and any
// for None, is returned as it is.
func Mark(kind Kind, err error) error {
	if _, has := errors.AsType[marked](err); err == nil || kind == None || has {
		return err
	}
	return marked{err, kind}
}

// Of returns the kind of err, None if it has none. An fs.ErrPermission without a
// mark, as registries of other makers return it, is of the kind Right.
func Of(err error) Kind {
	if m, ok := errors.AsType[marked](err); ok {
		return m.kind
	}
	if errors.Is(err, fs.ErrPermission) {
		return Right
	}
	return None
}
