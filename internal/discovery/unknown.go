package discovery

import (
	"cmp"
	"slices"
)

// Names of which no node was ever seen are followed too, because one may appear.
// Such names may come from outside, so there is a limit to their number: beyond it
// the one that was not used for the longest time is dropped, unless somebody waits
// for it. Looked up once more, it is followed once more.

// await notes that somebody waits for the first news of a name until done is
// called.
func (d *Directory) await(name string) (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.awaited[name]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if e, ok := (*d.entries.Load())[name]; ok {
			e.use() // to the end of the waiting
		}
		if d.awaited[name]--; d.awaited[name] == 0 {
			delete(d.awaited, name)
		}
	}
}

// dropUnknown removes the names beyond the limit from entries and returns them.
// The caller holds mu.
func (d *Directory) dropUnknown(entries map[string]*entry) []*entry {
	if len(entries) <= d.maxUnknown {
		return nil
	}
	var unknown []*entry
	for name, e := range entries {
		if e.unknown() && d.awaited[name] == 0 {
			unknown = append(unknown, e)
		}
	}
	over := len(unknown) - d.maxUnknown
	if over <= 0 {
		return nil
	}
	slices.SortFunc(unknown, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.used.Load(), b.used.Load()), cmp.Compare(a.number, b.number))
	})
	for _, e := range unknown[:over] {
		delete(entries, e.name)
	}
	return unknown[:over]
}

// unknown reports whether no node of the name was ever seen.
func (e *entry) unknown() bool {
	return e.name != "" && !e.snapshot.Load().Seen
}
