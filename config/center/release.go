package center

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Release is what was changed at once.
type Release struct {
	// Number counts the releases of a namespace, from 1. It is 0 if Foreign.
	Number int64 `json:"release"`
	// Foreign says that somebody wrote past the Center. Who and When are not known then.
	Foreign bool `json:"foreign,omitempty"`
	// Revision is etcd's, after the change. For a foreign deletion it is the one at which
	// it was noticed, for a release that is only planned 0.
	Revision int64     `json:"revision"`
	Who      string    `json:"who,omitempty"`
	When     time.Time `json:"when,omitzero"`
	Comment  string    `json:"comment,omitempty"`
	// Restores is the number of the release whose state this one brought back, or 0.
	Restores int64    `json:"restores,omitempty"`
	Changes  []Change `json:"changes"` // in the order of the keys
}

// Change is what happened to one key.
type Change struct {
	Key      string  `json:"key"`
	Before   *string `json:"before"`             // nil if there was no such key
	After    *string `json:"after"`              // nil if it was deleted
	Revision int64   `json:"revision,omitempty"` // at which Before was written, if known
}

// Draft is a release to be made.
type Draft struct {
	Who, Comment string
	Edits        []Edit
	restores     int64
}

// Edit is what a draft does to one key.
type Edit struct {
	Key string
	// Value is the new value, JSON, or nil to delete the key.
	Value *string
	// Seen is the entry that the editor looked at, an Entry without a Revision if there
	// was none: the release is refused with a ConflictError if another one is there now.
	// With nil that is so for the entry that is there when Release begins.
	Seen *Entry
}

// Put is the edit that sets a key.
func Put(key, value string) Edit { return Edit{Key: key, Value: &value} }

// Delete is the edit that deletes a key.
func Delete(key string) Edit { return Edit{Key: key} }

// Plan returns what Release would do, and does not do it.
func (c *Center) Plan(ctx context.Context, d Draft) (Release, error) {
	s, err := c.read(ctx, 0)
	if err != nil {
		return Release{}, err
	}
	r, _, err := c.plan(ctx, d, s)
	return r, err
}

// Release makes all edits at once, or none. Edits that change nothing are left out; if
// none is left it returns ErrNoChange. It is refused before anything is written if a key
// or a value is one that readers would not take, or if it is more than etcd takes in one
// transaction.
func (c *Center) Release(ctx context.Context, d Draft) (Release, error) {
	d.Edits = slices.Clone(d.Edits)
	for {
		s, err := c.read(ctx, 0)
		if err != nil {
			return Release{}, err
		}
		for i, e := range d.Edits {
			if e.Seen == nil {
				seen := s.entry(e.Key)
				d.Edits[i].Seen = &seen
			}
		}
		r, txn, err := c.plan(ctx, d, s)
		if err != nil {
			return Release{}, err
		}
		held, revision, err := c.etcd.Conn().Commit(ctx, doing, txn.Txn)
		switch {
		case err != nil:
			return c.settle(ctx, r, txn.id, err)
		case held:
			r.Revision = revision
			return r, nil
		}
		// Somebody else released meanwhile, so there is progress: it ends.
	}
}

const doing = "release configuration"

// planned is a release as a transaction.
type planned struct {
	*etcd.Txn
	id string
}

// plan checks a draft against what there is, and makes the transaction of it.
func (c *Center) plan(ctx context.Context, d Draft, s state) (Release, planned, error) {
	fail := func(err error) (Release, planned, error) {
		return Release{}, planned{}, fmt.Errorf("%s: %w", doing, err)
	}
	changes, err := c.changes(ctx, d, s)
	if err != nil {
		return fail(err)
	}
	last, err := c.last(ctx)
	if err != nil {
		return Release{}, planned{}, err
	}
	r := Release{Number: last + 1, Who: d.Who, When: time.Now().UTC().Truncate(time.Millisecond), Comment: d.Comment, Restores: d.restores, Changes: changes}
	txn, err := c.transaction(ctx, r, s)
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
	after := maps.Clone(s.values)
	byKey := make(map[string]Change)
	for _, e := range d.Edits {
		if err := checkKey(e.Key); err != nil && d.restores == 0 {
			return nil, fmt.Errorf("key %q: %w", e.Key, err)
		}
		if _, twice := byKey[e.Key]; twice {
			return nil, fmt.Errorf("key %q: it stands twice in one release", e.Key)
		}
		now := s.entry(e.Key)
		if e.Seen != nil && e.Seen.Revision != now.Revision {
			return nil, c.conflict(ctx, e, s)
		}
		byKey[e.Key] = Change{e.Key, s.text(e.Key), e.Value, now.Revision}
		if e.Value == nil {
			delete(after, e.Key)
		} else {
			after[e.Key] = etcd.KV{}
		}
	}
	keys := slices.Sorted(maps.Keys(after))
	var all []Change
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		change := byKey[key]
		if same(change.Before, change.After) {
			continue
		}
		// What was there once may come back as it was.
		if change.After != nil && d.restores == 0 {
			if err := checkValue(key, *change.After); err != nil {
				return nil, fmt.Errorf("key %q: %w", key, err)
			}
			if err := checkPlace(key, keys); err != nil {
				return nil, fmt.Errorf("key %q: %w", key, err)
			}
		}
		all = append(all, change)
	}
	if len(all) == 0 {
		return nil, ErrNoChange
	}
	return all, nil
}

func same(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// transaction returns the one that makes a release of what was read.
func (c *Center) transaction(ctx context.Context, r Release, s state) (planned, error) {
	l := c.etcd.Layout()
	p := planned{&etcd.Txn{}, rand.Text()}
	record := layout.ReleaseRecord{ID: p.id, Who: r.Who, When: r.When, Comment: r.Comment, Restores: r.Restores}
	added := false
	for _, change := range r.Changes {
		key := l.Config() + change.Key
		p.Unwritten(key, change.Revision)
		if added = added || change.Before == nil; change.After == nil {
			p.Delete(key)
		} else {
			p.Put(key, *change.After)
		}
		record.Changes = append(record.Changes, layout.ChangeRecord{
			Key: change.Key, Before: (*layout.TextRecord)(change.Before), After: (*layout.TextRecord)(change.After), Revision: change.Revision,
		})
	}
	if added { // somebody may add a key above or below a new one
		p.NoneSince(l.Config(), s.revision)
	}
	text, err := record.Encode()
	if err != nil {
		return p, fmt.Errorf("write the record of it: %w", err)
	}
	p.Unwritten(l.Release(r.Number), 0)
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

// last returns the number of the last release, 0 if there is none.
func (c *Center) last(ctx context.Context) (int64, error) {
	l := c.etcd.Layout()
	r := c.records()
	r.Last, r.Limit = true, 1
	kvs, _, err := c.etcd.Conn().Read(ctx, "read the last release", r)
	if err != nil || len(kvs) == 0 {
		return 0, err
	}
	number, ok := l.ReleaseOf(kvs[0].Key)
	if !ok {
		return 0, fmt.Errorf("read the last release: the key %q is of none: delete it", kvs[0].Key)
	}
	return number, nil
}

// firstKept returns the number of the first release whose record stays when r is made.
func (c *Center) firstKept(ctx context.Context, r Release) (int64, error) {
	first := max(1, r.Number-int64(c.keep)+1)
	if c.keepFor == 0 {
		return first, nil
	}
	l := c.etcd.Layout()
	for first < r.Number {
		old, _, err := c.etcd.Conn().Read(ctx, "read old releases", etcd.Range{From: l.Release(first), To: l.Release(r.Number), Limit: 50})
		if err != nil || len(old) == 0 {
			return first, err
		}
		for _, kv := range old {
			record, err := layout.DecodeRelease(kv.Value)
			if err == nil && r.When.Sub(record.When) <= c.keepFor {
				return first, nil
			}
			if number, ok := l.ReleaseOf(kv.Key); ok {
				first = number + 1
			}
		}
	}
	return first, nil
}

// settle finds out what became of a release whose transaction failed with err.
func (c *Center) settle(ctx context.Context, r Release, id string, err error) (Release, error) {
	if etcd.RefusedWrite(err) {
		return Release{}, err
	}
	key := c.etcd.Layout().Release(r.Number)
	kvs, _, unread := c.etcd.Conn().Read(ctx, "read the release", etcd.Range{From: key})
	if unread == nil && len(kvs) == 1 && strings.Contains(string(kvs[0].Value), id) {
		r.Revision = kvs[0].Created
		return r, nil
	}
	return Release{}, fmt.Errorf("%w: %w", ErrUncertain, err)
}
