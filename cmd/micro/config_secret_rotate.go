package main

import (
	"errors"
	"fmt"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/secret"
)

// One release of a rotation has so many keys and bytes at most, well below what etcd
// takes at once.
const (
	rotateKeys  = 50
	rotateBytes = 200 << 10
)

// rotated is what rotate tells.
type rotated struct {
	Key      string           `json:"key_id"`
	Changed  int              `json:"changed"` // keys of the configuration
	Releases []center.Release `json:"releases"`
	Left     []secretRow      `json:"left"` // what is not sealed for the key
	planned  bool
}

var _ result = rotated{}

func (r rotated) value() any { return r }

func (r rotated) table(w screen) error {
	switch {
	case r.planned:
		w.line("%d keys would be sealed for key %s; nothing was written", r.Changed, r.Key)
	default:
		w.line("%d keys are sealed for key %s now, by %d releases", r.Changed, r.Key, len(r.Releases))
	}
	if len(r.Left) == 0 {
		w.line("no secret is sealed for another key; the history, files and snapshots may hold some")
		return nil
	}
	w.line("these could not be opened, and are as they were:")
	return secretRows(r.Left).table(w)
}

// secretsBelow returns the values at and below a path, and every gray.
func (s *configSession) secretsBelow(path string) ([]center.Entry, error) {
	all, err := s.List(s.Context.Context, path)
	if err != nil {
		return nil, err
	}
	return all, nil
}

func rotateSecrets(s *configSession) error {
	to, err := sealerOf(s.Context)
	if err != nil {
		return err
	}
	all, err := s.secretsBelow(s.path())
	if err != nil {
		return err
	}
	keys := keysOf(s.Context)
	done := rotated{Key: to.ID(), Releases: []center.Release{}, Left: []secretRow{}, planned: s.Bool("dry-run")}
	var edits []center.Edit
	size := 0
	flush := func() error {
		if len(edits) == 0 {
			return nil
		}
		r, err := s.carryOut(center.Draft{Comment: "seal secrets for key " + to.ID(), Edits: edits})
		if err != nil {
			return err
		}
		done.Changed += len(edits)
		done.Releases = append(done.Releases, r)
		edits, size = nil, 0
		return nil
	}
	for _, e := range all {
		next, left := secret.Reseal(e.Key, e.Value, keys, to)
		no := false
		for _, l := range left {
			done.Left = append(done.Left, secretRow{Kind: e.Kind, Key: e.Key, Field: l.Field, KeyID: l.KeyID, Opens: &no, Why: l.Err.Error()})
		}
		if next == e.Value {
			continue
		}
		seen := e
		if cost := len(e.Value) + len(next); size > 0 && (size+cost > rotateBytes || len(edits) == rotateKeys) {
			if err := flush(); err != nil {
				return s.unrotated(done, err)
			}
		}
		edits = append(edits, center.Edit{Kind: e.Kind, Key: e.Key, Value: &next, Seen: &seen})
		size += len(e.Value) + len(next)
	}
	if err := flush(); err != nil {
		return s.unrotated(done, err)
	}
	if err := show(s.Context, done); err != nil {
		return err
	}
	if len(done.Left) > 0 {
		return errReported
	}
	return nil
}

// unrotated is the error of a rotation that stopped in the middle.
func (s *configSession) unrotated(done rotated, err error) error {
	if errors.Is(err, center.ErrNoChange) {
		return err
	}
	return fmt.Errorf("%d keys are sealed for key %s, the others are as they were; run it again to go on: %w", done.Changed, done.Key, err)
}
