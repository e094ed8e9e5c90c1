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
}

// History returns the releases on record and what was written past them, newest first.
// Of what was written past them several times, the last is seen alone, and of keys that
// no release on record has written nothing at all.
func (c *Center) History(ctx context.Context, p Page) ([]Release, error) {
	h, err := c.recall(ctx)
	if err != nil {
		return nil, err
	}
	all := h.all()
	slices.Reverse(all)
	if p.Before != 0 {
		all = slices.DeleteFunc(all, func(r Release) bool { return r.Revision >= p.Before })
	}
	if p.Limit > 0 && len(all) > p.Limit {
		all = all[:p.Limit]
	}
	return all, nil
}

// history is the configuration with the releases that made it.
type history struct {
	state
	releases []Release // on record, oldest first
}

// records is the range of all records.
func (c *Center) records() etcd.Range {
	l := c.etcd.Layout()
	return etcd.Range{From: l.Release(0), To: l.Releases() + ":"} // the ":" is behind the digits
}

// recall reads configuration and records, both as of one revision.
func (c *Center) recall(ctx context.Context) (history, error) {
	s, err := c.read(ctx, 0, KindValue, KindSchema, KindGray)
	if err != nil {
		return history{}, err
	}
	h := history{state: s}
	r := c.records()
	r.Revision = s.revision
	kvs, _, err := c.etcd.Conn().Read(ctx, "read the history", r)
	if err != nil {
		return history{}, err
	}
	for _, kv := range kvs {
		one, err := c.release(kv)
		if err != nil {
			return history{}, fmt.Errorf("read the history: %w", err)
		}
		h.releases = append(h.releases, one)
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
