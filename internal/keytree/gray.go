package keytree

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/config/source"
)

// Gray is values that lie over those of keys, for some of those who read alone.
type Gray struct {
	// Holds reports whether it is for an instance.
	Holds func(source.Instance) bool
	// Values has the text of each key of the store, nil to take the key away.
	Values map[string]*string
}

// gray is the newest Gray of one name.
type gray struct {
	key      string // of the store, where it stands
	revision int64  // at which it was last written
	err      error  // why the newest is not what follows
	holds    func(source.Instance) bool
	entries  map[string]*entry // nil: it was never read
	on       bool              // it is for whoever reads
}

// PutGray takes the gray of a name, which stands under a key of the store and was
// written at a revision. unread says why it cannot be read, nil if it can. A gray of
// which one value cannot be read counts as a whole for one that cannot: the last one of
// the name that could stays, and RefusedGrays says why.
func (v *View) PutGray(name, key string, g Gray, unread error, revision int64) {
	was := v.grays[name]
	if was == nil {
		was = &gray{key: key}
		v.grays[name] = was
	}
	was.revision = revision
	entries, err := v.readGray(g, key, revision)
	if unread != nil {
		err = unread
	}
	if was.err = err; err == nil {
		was.holds, was.entries = g.Holds, entries
		was.on = g.Holds(v.reader)
	}
}

// readGray reads what a gray has for this configuration.
func (v *View) readGray(g Gray, from string, revision int64) (map[string]*entry, error) {
	entries := make(map[string]*entry, len(g.Values))
	for _, key := range slices.Sorted(maps.Keys(g.Values)) {
		at, ok := v.keys.place(key)
		if !ok {
			continue
		}
		e := &entry{place: at, gray: from, revision: revision}
		entries[key] = e
		text := g.Values[key]
		if text == nil {
			continue // it has no valid value
		}
		var err error
		if e.value, err = v.read(at, []byte(*text)); err != nil {
			return nil, fmt.Errorf("the value of %q: %w", key, err)
		}
		e.valid, e.sum = true, sha256.Sum256([]byte(*text))
	}
	return entries, nil
}

// DeleteGray removes a gray.
func (v *View) DeleteGray(name string) { delete(v.grays, name) }

// KeepGrays removes the grays that there does not report.
func (v *View) KeepGrays(there func(name string) bool) {
	maps.DeleteFunc(v.grays, func(name string, _ *gray) bool { return !there(name) })
}

// SetReader says who reads, and reports whether that puts another set of grays in force.
func (v *View) SetReader(i source.Instance) (changed bool) {
	v.reader = i
	for _, g := range v.grays {
		if g.entries == nil {
			continue
		}
		on := g.holds(i)
		changed = changed || on != g.on
		g.on = on
	}
	return changed
}

// Reader returns what SetReader was told.
func (v *View) Reader() source.Instance { return v.reader }

// Grays returns the names of the grays in force, sorted: those that are for whoever
// reads and have a value for this configuration.
func (v *View) Grays() []string {
	var names []string
	for name, g := range v.grays {
		if g.on && len(g.entries) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// GraysAt reports whether the grays are those of revisions, each last written then.
func (v *View) GraysAt(revisions map[string]int64) bool {
	if len(revisions) != len(v.grays) {
		return false
	}
	for name, g := range v.grays {
		if revisions[name] != g.revision {
			return false
		}
	}
	return true
}

// inForce returns the entries with those of the grays over them, in the order of their
// names. It must not be changed.
func (v *View) inForce() map[string]*entry {
	names := v.Grays()
	if len(names) == 0 {
		return v.entries
	}
	all := maps.Clone(v.entries)
	for _, name := range names {
		maps.Copy(all, v.grays[name].entries)
	}
	return all
}

// RefusedGrays returns the grays that could not be read, and those in force of which
// another one in force has a key: the later name counts.
func (v *View) RefusedGrays() []source.Refused {
	var all []source.Refused
	for _, name := range slices.Sorted(maps.Keys(v.grays)) {
		if g := v.grays[name]; g.err != nil {
			all = append(all, source.Refused{Key: g.key, Revision: g.revision, Err: g.err})
		}
	}
	names := v.Grays()
	slices.Reverse(names)
	over := make(map[string]string) // the name that counts, by key
	for _, name := range names {
		g := v.grays[name]
		for _, key := range slices.Sorted(maps.Keys(g.entries)) {
			if counts, taken := over[key]; taken {
				err := fmt.Errorf("the gray %q, which is in force here too, has its key %q as well, and counts", counts, key)
				all = append(all, source.Refused{Key: g.key, Revision: g.revision, Err: err})
				break
			}
		}
		for key := range g.entries {
			if _, taken := over[key]; !taken {
				over[key] = name
			}
		}
	}
	return all
}
