package center

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Page is a part of the history. The zero value is all of it.
type Page struct {
	Before int64 // only what came before that revision of etcd, if not 0
	Limit  int   // at most so many, if not 0
	// Under, if not "", leaves out all changes but those of the key Under and below it.
	// Nothing else is read then but the records.
	Under string
}

// History returns the releases on record and what was written past them, newest first.
// Of what was written past them several times, the last is seen alone, and of keys that
// no release on record has written nothing at all.
func (c *Center) History(ctx context.Context, p Page) ([]Release, error) {
	h, err := c.recall(ctx, p.Under)
	if err != nil {
		return nil, err
	}
	all := h.all()
	slices.Reverse(all)
	all = slices.DeleteFunc(all, func(r Release) bool {
		return p.Before != 0 && r.Revision >= p.Before || p.Under != "" && len(r.Changes) == 0
	})
	if p.Limit > 0 && len(all) > p.Limit {
		all = all[:p.Limit]
	}
	return all, nil
}

// history is what the items that releases on record have changed are now, with the
// releases that made them.
type history struct {
	state
	releases []Release // on record, oldest first
}

// records is the range of all records.
func (c *Center) records() etcd.Range {
	l := c.etcd.Layout()
	return etcd.Range{From: l.Release(0), To: l.Releases() + ":"} // the ":" is behind the digits
}

// recall reads records, and the items of which they tell, all as of one revision: of all
// there are, or of the key under and those below it.
func (c *Center) recall(ctx context.Context, under string) (history, error) {
	h := history{state: state{items: make(map[item]etcd.KV)}}
	changed := make(map[item]bool)
	const page = 64 // records with large values take much memory
	for r := c.records(); ; {
		r.Limit = page
		found, revision, err := c.etcd.Conn().ReadAll(ctx, "read the history", h.revision, r)
		if err != nil {
			return history{}, err
		}
		h.revision = revision
		for _, kv := range found[0] {
			one, err := c.release(kv)
			if err != nil {
				return history{}, fmt.Errorf("read the history: %w", err)
			}
			if under != "" {
				one.Changes = slices.DeleteFunc(one.Changes, func(change Change) bool { return change.Kind == KindGray || !Within(change.Key, under) })
			}
			for _, change := range one.Changes {
				changed[change.item()] = true
			}
			h.releases = append(h.releases, one)
		}
		if len(found[0]) < page {
			break
		}
		r.From = found[0][page-1].Key + "\x00"
	}
	items := slices.SortedFunc(maps.Keys(changed), compare)
	var ranges []etcd.Range
	for _, i := range items {
		ranges = append(ranges, etcd.Range{From: c.place(i)})
	}
	found, _, err := c.etcd.Conn().ReadAll(ctx, "read what was released", h.revision, ranges...)
	if err != nil {
		return history{}, err
	}
	for n, kvs := range found {
		if len(kvs) == 1 {
			h.items[items[n]] = kvs[0]
		}
	}
	return h, nil
}

// written is how a release left a key.
type written struct {
	text     *string
	revision int64 // 0 if it deleted the key
}

func writtenBy(r Release, change Change) written {
	w := written{change.After, r.Revision}
	if w.text == nil {
		w.revision = 0
	}
	return w
}

// all returns the releases, and between them what was written past them.
func (h history) all() []Release {
	left := make(map[item]written) // by the releases so far
	foreign := make(map[int64]*Release)
	notice := func(i item, text *string, revision, noticed int64) {
		was, known := left[i]
		if !known || was.revision == revision {
			return
		}
		at := revision
		if text == nil {
			at = noticed
		}
		if foreign[at] == nil {
			foreign[at] = &Release{Foreign: true, Revision: at}
		}
		foreign[at].Changes = append(foreign[at].Changes, Change{i.kind, i.key, was.text, text, was.revision})
	}
	for _, r := range h.releases {
		for _, change := range r.Changes {
			notice(change.item(), change.Before, change.Revision, r.Revision)
			left[change.item()] = writtenBy(r, change)
		}
	}
	for _, i := range slices.SortedFunc(maps.Keys(left), compare) {
		notice(i, h.text(i), h.entry(i).Revision, h.revision)
	}
	all := slices.Clone(h.releases)
	for _, r := range foreign {
		slices.SortFunc(r.Changes, func(a, b Change) int { return compare(a.item(), b.item()) })
		all = append(all, *r)
	}
	// A deletion that a release noticed came before it.
	slices.SortFunc(all, func(a, b Release) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Number, b.Number))
	})
	return all
}
