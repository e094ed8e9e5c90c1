package mirror

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// view holds the keys of a mirror with what is known of them.
type view map[string]Entry

// watchEvent is an event as etcd sends it. Of a deleted key, entry has the key
// and the revision only.
type watchEvent struct {
	deleted bool
	entry   Entry
}

// apply enters one event and returns it with what was known before.
func (v view) apply(e watchEvent) Event {
	event := Event{Deleted: e.deleted, Entry: e.entry}
	if old, ok := v[e.entry.Key]; ok {
		event.Prev = &old
	}
	if !e.deleted {
		v[e.entry.Key] = e.entry
		return event
	}
	delete(v, e.entry.Key)
	event.Entry = Entry{Key: e.entry.Key}
	if event.Prev != nil {
		event.Entry = *event.Prev
	}
	return event
}

// replace makes entries the view and returns the difference: departures by key,
// then arrivals and changes in the order of their revisions.
func (v view) replace(entries []Entry) []Event {
	var events []Event
	gone := v.gone(entries)
	slices.Sort(gone)
	for _, key := range gone {
		events = append(events, v.apply(watchEvent{deleted: true, entry: Entry{Key: key}}))
	}
	entries = slices.SortedFunc(slices.Values(entries), func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.ModRevision, b.ModRevision), cmp.Compare(a.Key, b.Key))
	})
	for _, e := range entries {
		if old, ok := v[e.Key]; !ok || !same(old, e) {
			events = append(events, v.apply(watchEvent{entry: e}))
		}
	}
	return events
}

// differs returns the keys that are not in v as they are in entries.
func (v view) differs(entries []Entry) map[string]struct{} {
	keys := map[string]struct{}{}
	for _, e := range entries {
		if old, ok := v[e.Key]; !ok || !same(old, e) {
			keys[e.Key] = struct{}{}
		}
	}
	for _, key := range v.gone(entries) {
		keys[key] = struct{}{}
	}
	return keys
}

// gone returns the keys of v that are not in entries.
func (v view) gone(entries []Entry) []string {
	rest := maps.Clone(v)
	for _, e := range entries {
		delete(rest, e.Key)
	}
	return slices.Collect(maps.Keys(rest))
}

func same(a, b Entry) bool {
	return a.ModRevision == b.ModRevision && a.CreateRevision == b.CreateRevision &&
		a.Lease == b.Lease && bytes.Equal(a.Value, b.Value)
}
