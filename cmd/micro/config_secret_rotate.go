package main

import (
	"fmt"
	"slices"

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
		w.line("%s would be sealed for key %s; nothing was written", plural(r.Changed, "key"), r.Key)
	default:
		w.line("%s sealed for key %s now, by %s", areMany(r.Changed, "key"), r.Key, plural(len(r.Releases), "release"))
	}
	if len(r.Left) == 0 {
		w.line("no secret is sealed for another key; the history, files and snapshots may hold some")
		return nil
	}
	w.line("these could not be opened, and are as they were:")
	return secretRows(r.Left).table(w)
}

// rotation gathers releases that seal secrets for another key.
type rotation struct {
	*configSession
	keys  *secret.Keys
	to    secret.PublicKey
	edits []center.Edit
	size  int // bytes of the values before and after
	done  rotated
}

func rotateSecrets(s *configSession) error {
	to, err := sealerOf(s.Context)
	if err != nil {
		return err
	}
	all, unread, err := s.secretsBelow(s.path())
	if err != nil {
		return err
	}
	r := &rotation{configSession: s, keys: keysOf(s.Context), to: to, done: rotated{Key: to.ID(), Releases: []center.Release{}, Left: []secretRow{}, planned: s.Bool("dry-run")}}
	for i, one := range all {
		if i > 0 && one.Kind != all[i-1].Kind { // who may write values may not write grays, perhaps
			err = r.flush()
		}
		if err == nil {
			err = r.add(one)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = r.flush()
	}
	if err != nil {
		return fmt.Errorf("%s sealed for key %s, the others are as they were; run it again to go on: %w", areMany(r.done.Changed, "key"), r.done.Key, err)
	}
	if err := show(s.Context, r.done); err != nil {
		return err
	}
	if s.Bool("wait") && !r.done.planned {
		if _, err := s.await(r.done.Releases...); err != nil {
			return err
		}
	}
	if len(r.done.Left) > 0 || unread {
		return errReported // what was left
	}
	return nil
}

// add seals what is in one entry, and makes a release first if that has no room for it.
func (r *rotation) add(h holder) error {
	next := h
	no := false
	for i, one := range h.values {
		value, left := secret.Reseal(one.key, one.text, r.keys, r.to)
		for _, l := range left {
			row := h.row(one, l.Found)
			row.Opens, row.Why = &no, l.Err.Error()
			r.done.Left = append(r.done.Left, row)
		}
		if next.values = slices.Clone(next.values); value != one.text {
			next.values[i].text = value
		}
	}
	text, err := next.text()
	if err != nil {
		return err
	}
	if text == h.Value {
		return nil
	}
	cost := len(h.Value) + len(text)
	if len(r.edits) == rotateKeys || r.size > 0 && r.size+cost > rotateBytes {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.edits = append(r.edits, center.Edit{Kind: h.Kind, Key: h.Key, Value: &text, Seen: &h.Entry})
	r.size += cost
	return nil
}

// flush releases what was added.
func (r *rotation) flush() error {
	if len(r.edits) == 0 {
		return nil
	}
	made, err := r.carryOut(center.Draft{Comment: "seal secrets for key " + r.to.ID(), Edits: r.edits})
	if err != nil {
		return err
	}
	r.done.Changed += len(r.edits)
	r.done.Releases = append(r.done.Releases, made)
	r.edits, r.size = nil, 0
	return nil
}
