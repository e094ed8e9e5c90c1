package keytree

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/config/encoder"
	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/tree"
)

// View is what the keys of a store say, each for itself. Whoever uses it keeps others
// away.
type View struct {
	keys    Keys
	decoder encoder.Encoder
	entries map[string]*entry
	grays   map[string]*gray
	reader  source.Instance
}

// entry is one key.
type entry struct {
	place
	revision int64             // at which it was last written
	value    any               // the last that could be read
	valid    bool              // value was read once
	sum      [sha256.Size]byte // of the text of value, as the store has it
	err      error             // why the newest value is not the one in value
	gray     string            // the key of the gray that it is of, "" if it is of none
}

// NewView returns a View without keys. Values are what decoder reads.
func NewView(k Keys, decoder encoder.Encoder) *View {
	return &View{keys: k, decoder: decoder, entries: make(map[string]*entry), grays: make(map[string]*gray)}
}

// Put takes the value of a key, written at a revision of the store. The error says why
// it cannot be read; then the last one of the key that could stays. A key that is no
// part of the configuration is passed over.
func (v *View) Put(key string, text []byte, revision int64) error {
	at, ok := v.keys.place(key)
	if !ok {
		return nil
	}
	e := v.entries[key]
	if e == nil {
		e = &entry{place: at}
		v.entries[key] = e
	}
	e.revision = revision
	value, err := v.read(at, text)
	if e.err = err; err == nil {
		e.value, e.valid, e.sum = value, true, sha256.Sum256(text)
	}
	return err
}

// read reads the value of a key that belongs at a place.
func (v *View) read(at place, text []byte) (any, error) {
	value, err := decode(v.decoder, text)
	if err == nil {
		err = check(at.path, value)
	}
	return value, err
}

// Delete removes a key.
func (v *View) Delete(key string) { delete(v.entries, key) }

// KeepOnly removes the keys that there does not report, and reports whether there was
// one.
func (v *View) KeepOnly(there func(key string) bool) bool {
	before := len(v.entries)
	maps.DeleteFunc(v.entries, func(key string, _ *entry) bool { return !there(key) })
	return len(v.entries) < before
}

// Revision returns at which revision a key was last written, zero if it is not there.
func (v *View) Revision(key string) int64 {
	if e := v.entries[key]; e != nil {
		return e.revision
	}
	return 0
}

// decode reads a value, in the end as JSON, so that it can be written as such.
func decode(decoder encoder.Encoder, text []byte) (any, error) {
	var value any
	if err := decoder.Decode(text, &value); err != nil || decoder.String() == "json" {
		return value, err
	}
	b, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write the value as JSON: %w", err)
	}
	err = format.NewEncoder().Decode(b, &value)
	return value, err
}

// Text returns the whole configuration as JSON. A key that lies below another one is
// laid over what that one's value has in its place.
func (v *View) Text() ([]byte, error) {
	text, err := json.Marshal(v.tree(v.inForce()))
	if err != nil {
		return nil, fmt.Errorf("write the configuration as JSON: %w", err)
	}
	return text, nil
}

// tree returns the configuration of entries.
func (v *View) tree(entries map[string]*entry) map[string]any {
	var trees [layerCount]map[string]any
	// By the byte, a key comes before all that lie below it.
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		if !e.valid {
			continue
		}
		if trees[e.layer] == nil {
			trees[e.layer] = make(map[string]any)
		}
		tree.Put(trees[e.layer], e.value, e.path...)
	}
	return document(trees)
}

// Refused returns the values and grays that could not be read, and the grays that others
// of the same keys lie over, by key.
func (v *View) Refused() []source.Refused {
	var all []source.Refused
	for key, e := range v.entries {
		if e.err != nil {
			all = append(all, source.Refused{Key: key, Revision: e.revision, Err: e.err})
		}
	}
	all = append(all, v.RefusedGrays()...)
	slices.SortFunc(all, func(a, b source.Refused) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// At reports whether the keys are those of revisions, each last written then.
func (v *View) At(revisions map[string]int64) bool {
	if len(revisions) != len(v.entries) {
		return false
	}
	for key, e := range v.entries {
		if revisions[key] != e.revision {
			return false
		}
	}
	return true
}
