package mirror

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
)

// view holds the keys of a mirror, sorted, each with a sum of what is known of it: values
// may be large, and the mirror has only to know whether one is another.
type view struct{ keys []summed }

type summed struct {
	key string
	sum uint64
}

// watchEvent is an event as etcd sends it. Of a deleted key, entry has the key
// and the revision only.
type watchEvent struct {
	deleted bool
	entry   Entry
}

// seed makes the sums of this process.
var seed = maphash.MakeSeed()

// sum returns a sum of all that e says. Two that differ have the same one with a
// probability of one in 2^64, which nobody outside can raise: the seed is random.
func (e Entry) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	var numbers [24]byte
	binary.LittleEndian.PutUint64(numbers[:], uint64(e.ModRevision))
	binary.LittleEndian.PutUint64(numbers[8:], uint64(e.CreateRevision))
	binary.LittleEndian.PutUint64(numbers[16:], uint64(e.Lease))
	h.Write(numbers[:])
	h.Write(e.Value)
	return h.Sum64()
}

func (v *view) find(key string) (int, bool) {
	if n := len(v.keys); n > 0 && v.keys[n-1].key < key { // as in a listing
		return n, false
	}
	return slices.BinarySearchFunc(v.keys, key, func(s summed, key string) int { return strings.Compare(s.key, key) })
}

// has reports whether e is known just so.
func (v *view) has(e Entry) bool {
	i, known := v.find(e.Key)
	return known && v.keys[i].sum == e.sum()
}

// apply enters one event and returns it for observers.
func (v *view) apply(e watchEvent) Event {
	i, known := v.find(e.entry.Key)
	switch {
	case e.deleted && known:
		v.keys = slices.Delete(v.keys, i, i+1)
	case e.deleted:
	case known:
		v.keys[i].sum = e.entry.sum()
	default:
		if len(v.keys) == cap(v.keys) {
			// An eighth in reserve: append would take up to as much again.
			v.keys = append(make([]summed, 0, len(v.keys)+len(v.keys)/8+4), v.keys...)
		}
		v.keys = slices.Insert(v.keys, i, summed{e.entry.Key, e.entry.sum()})
	}
	if e.deleted {
		return Event{Deleted: true, Entry: Entry{Key: e.entry.Key}}
	}
	return Event{Entry: e.entry}
}

// replace makes entries the view and returns the difference: departures by key,
// then arrivals and changes in the order of their revisions.
func (v *view) replace(entries []Entry) []Event {
	var events []Event
	for _, key := range v.gone(entries) {
		events = append(events, Event{Deleted: true, Entry: Entry{Key: key}})
	}
	arrivals := slices.DeleteFunc(slices.Clone(entries), v.has)
	slices.SortFunc(arrivals, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.ModRevision, b.ModRevision), cmp.Compare(a.Key, b.Key))
	})
	for _, e := range arrivals {
		events = append(events, Event{Entry: e})
	}
	v.keys = make([]summed, len(entries))
	for i, e := range entries {
		v.keys[i] = summed{e.Key, e.sum()}
	}
	slices.SortFunc(v.keys, func(a, b summed) int { return strings.Compare(a.key, b.key) })
	return events
}

// differs returns the keys that are not in v as they are in entries.
func (v *view) differs(entries []Entry) map[string]struct{} {
	keys := map[string]struct{}{}
	for _, e := range entries {
		if !v.has(e) {
			keys[e.Key] = struct{}{}
		}
	}
	for _, key := range v.gone(entries) {
		keys[key] = struct{}{}
	}
	return keys
}

// gone returns the keys of v that are not in entries, sorted.
func (v *view) gone(entries []Entry) []string {
	if len(v.keys) == 0 {
		return nil
	}
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		there[e.Key] = true
	}
	var gone []string
	for _, s := range v.keys {
		if !there[s.key] {
			gone = append(gone, s.key)
		}
	}
	return gone
}
