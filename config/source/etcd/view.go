package etcd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/config/encoder"
	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/tree"
)

// view is what the keys of etcd say, each for itself. Whoever uses it keeps others
// away.
type view struct {
	keys    keys
	decoder encoder.Encoder
	entries map[string]*entry
}

// entry is one key.
type entry struct {
	place
	revision int64 // at which it was last written
	value    any   // the last that could be read
	valid    bool  // value was read once
	err      error // why the newest value is not the one in value
}

func newView(k keys, decoder encoder.Encoder) *view {
	return &view{k, decoder, make(map[string]*entry)}
}

// apply takes one step of the mirror and returns the values that it refused.
func (v *view) apply(c mirror.Change) []source.Refused {
	if c.First {
		v.keepOnly(c.Events)
	}
	var refused []source.Refused
	for _, e := range c.Events {
		if e.Deleted {
			delete(v.entries, e.Entry.Key)
			continue
		}
		at, ok := v.keys.place(e.Entry.Key)
		if !ok {
			continue
		}
		if err := v.put(at, e.Entry); err != nil {
			refused = append(refused, source.Refused{Key: e.Entry.Key, Revision: e.Entry.ModRevision, Err: err})
		}
	}
	return refused
}

// keepOnly removes what a first listing does not have: the mirror was made anew.
func (v *view) keepOnly(events []mirror.Event) {
	there := make(map[string]bool, len(events))
	for _, e := range events {
		there[e.Entry.Key] = true
	}
	maps.DeleteFunc(v.entries, func(key string, _ *entry) bool { return !there[key] })
}

func (v *view) put(at place, written mirror.Entry) error {
	e := v.entries[written.Key]
	if e == nil {
		e = &entry{place: at}
		v.entries[written.Key] = e
	}
	e.revision = written.ModRevision
	value, err := decode(v.decoder, written.Value)
	if err == nil {
		err = check(at.path, value)
	}
	if e.err = err; err == nil {
		e.value, e.valid = value, true
	}
	return err
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

// text returns the whole configuration as JSON. A key that lies below another one is
// laid over what that one's value has in its place.
func (v *view) text() ([]byte, error) {
	var trees [layerCount]map[string]any
	// By the byte, a key comes before all that lie below it.
	for _, key := range slices.Sorted(maps.Keys(v.entries)) {
		e := v.entries[key]
		if !e.valid {
			continue
		}
		if trees[e.layer] == nil {
			trees[e.layer] = make(map[string]any)
		}
		tree.Put(trees[e.layer], e.value, e.path...)
	}
	text, err := json.Marshal(document(trees))
	if err != nil {
		return nil, fmt.Errorf("write the configuration as JSON: %w", err)
	}
	return text, nil
}

// refused returns the values that could not be read, by key.
func (v *view) refused() []source.Refused {
	var all []source.Refused
	for key, e := range v.entries {
		if e.err != nil {
			all = append(all, source.Refused{Key: key, Revision: e.revision, Err: e.err})
		}
	}
	slices.SortFunc(all, func(a, b source.Refused) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// at reports whether the keys are those of revisions, each last written then.
func (v *view) at(revisions map[string]int64) bool {
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
