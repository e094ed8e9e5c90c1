package center

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// planned is a release as a transaction.
type planned struct {
	*etcd.Txn
	id string
}

// plan checks a draft against what there is, and makes the transaction of it.
func (c *Center) plan(ctx context.Context, d Draft, s sight) (Release, planned, error) {
	fail := func(err error) (Release, planned, error) {
		return Release{}, planned{}, fmt.Errorf("%s: %w", doing, err)
	}
	changes, err := c.changes(ctx, d, s.state)
	if err != nil {
		return fail(err)
	}
	p := &Preview{center: c, sight: s, draft: d, changes: changes}
	if err := p.checkGrays(ctx); err != nil {
		return fail(err)
	}
	violations, err := p.judge(ctx)
	switch {
	case err != nil:
		return fail(err)
	case len(violations) > 0 && !d.Force:
		return fail(&SchemaError{violations})
	}
	for _, check := range c.checks {
		if err := check(ctx, p); err != nil {
			return fail(err)
		}
	}
	r := Release{Number: s.last + 1, Who: d.Who, When: time.Now().UTC().Truncate(time.Millisecond), Comment: d.Comment, Restores: d.restores, Changes: changes, Unseen: s.unseen, Unjudged: p.unjudged, Violations: violations}
	txn, err := c.transaction(ctx, r, p)
	if err != nil {
		return fail(err)
	}
	if n := txn.Ops(); n > etcd.MaxTxnOps {
		return fail(fmt.Errorf("it needs a transaction of %d operations, and etcd takes %d: make several releases of it", n, etcd.MaxTxnOps))
	}
	if n := txn.Bytes(); n > etcd.MaxTxnBytes {
		return fail(fmt.Errorf("it needs a transaction of %d bytes, with the values before and after in the history, and etcd takes %d: make several releases of it, or the values smaller", n, etcd.MaxTxnBytes))
	}
	return r, txn, nil
}

// changes returns what a draft would change.
func (c *Center) changes(ctx context.Context, d Draft, s state) ([]Change, error) {
	byItem := make(map[item]Change)
	for _, e := range d.Edits {
		// What somebody put under an odd key has to go away too, or come back.
		if err := checkKey(e.Kind, e.Key); err != nil && d.restores == 0 && e.Value != nil {
			return nil, fmt.Errorf("%s: %w", e.item(), err)
		}
		if _, twice := byItem[e.item()]; twice {
			return nil, fmt.Errorf("%s: it stands twice in one release", e.item())
		}
		now := s.entry(e.item())
		if e.Seen != nil && e.Seen.Revision != now.Revision {
			return nil, c.conflict(ctx, e, s)
		}
		byItem[e.item()] = Change{e.Kind, e.Key, s.text(e.item()), e.Value, now.Revision}
	}
	maps.DeleteFunc(byItem, func(_ item, change Change) bool { return same(change.Before, change.After) })
	all := slices.SortedFunc(maps.Values(byItem), func(a, b Change) int { return compare(a.item(), b.item()) })
	if len(all) == 0 {
		return nil, ErrNoChange
	}
	if d.restores != 0 {
		return all, nil // what was there once may come back as it was
	}
	return all, check(all, s)
}

func same(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// transaction returns the one that makes a release of what was read.
func (c *Center) transaction(ctx context.Context, r Release, preview *Preview) (planned, error) {
	l := c.etcd.Layout()
	p := planned{&etcd.Txn{}, rand.Text()}
	record := layout.ReleaseRecord{ID: p.id, Who: r.Who, When: r.When, Comment: r.Comment, Restores: r.Restores}
	var added []string
	for _, change := range r.Changes {
		key := c.place(change.item())
		p.Unwritten(key, change.Revision)
		if change.After == nil {
			p.Delete(key)
		} else {
			p.Put(key, *change.After)
		}
		if change.Kind == KindValue && change.Before == nil && r.Restores == 0 {
			added = append(added, change.Key)
		}
		record.Changes = append(record.Changes, layout.ChangeRecord{
			Kind: string(change.Kind), Key: layout.TextRecord(change.Key), Before: (*layout.TextRecord)(change.Before), After: (*layout.TextRecord)(change.After), Revision: change.Revision,
		})
	}
	for _, guard := range preview.guards {
		guard(p.Txn)
	}
	text, err := record.Encode()
	if err != nil {
		return p, fmt.Errorf("write the record of it: %w", err)
	}
	p.Unwritten(l.Release(r.Number), 0)
	if len(added) > 0 {
		preview.guard(p.Txn, c, added)
	}
	p.Put(l.Release(r.Number), string(text))
	first, err := c.firstKept(ctx, r)
	if err != nil {
		return p, err
	}
	if first > 1 {
		p.DeleteRange(l.Release(0), l.Release(first))
	}
	return p, nil
}
