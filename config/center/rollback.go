package center

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Tree is a configuration: values by key.
type Tree map[string]string

// Tree returns the configuration as it is now.
func (c *Center) Tree(ctx context.Context) (Tree, error) {
	s, err := c.read(ctx, 0)
	return s.tree(), err
}

// TreeAtRevision returns the configuration as of a revision of etcd, as long as that has
// not forgotten it.
func (c *Center) TreeAtRevision(ctx context.Context, revision int64) (Tree, error) {
	s, err := c.read(ctx, revision)
	if errors.Is(err, etcd.ErrCompacted) {
		return nil, fmt.Errorf("%w: name a release, whose values stay", err)
	}
	return s.tree(), err
}

// TreeAt returns the configuration as the release with that number left it, as far as
// records and keys tell: what was written past the Center before that, and was written
// over since past the Center too, is known to nobody.
func (c *Center) TreeAt(ctx context.Context, number int64) (Tree, error) {
	h, err := c.recall(ctx)
	if err != nil {
		return nil, err
	}
	tree, _, err := h.at(number)
	return tree, err
}

func (s state) tree() Tree {
	tree := make(Tree, len(s.values))
	for key, kv := range s.values {
		tree[key] = string(kv.Value)
	}
	return tree
}

// at returns the configuration after a release, and the keys that releases on record
// have written.
func (h history) at(number int64) (Tree, map[string]bool, error) {
	i := slices.IndexFunc(h.releases, func(r Release) bool { return r.Number == number })
	if i < 0 {
		return nil, nil, fmt.Errorf("look up release %d: %w", number, ErrNoRelease)
	}
	revision := h.releases[i].Revision
	left := make(map[string]written)
	for _, r := range h.releases[:i+1] {
		for _, change := range r.Changes {
			left[change.Key] = writtenBy(r, change)
		}
	}
	// next is what was there when it was next looked at: the value of then as well, if
	// it was written before.
	next := make(map[string]written)
	for _, r := range h.releases[i+1:] {
		for _, change := range r.Changes {
			if _, known := next[change.Key]; !known {
				next[change.Key] = written{change.Before, change.Revision}
			}
		}
	}
	released := make(map[string]bool)
	for key := range left {
		released[key] = true
	}
	for key := range next {
		released[key] = true
	}
	tree := h.tree()
	for key := range released {
		now, seen := next[key]
		if !seen {
			now = written{h.text(key), h.entry(key).Revision}
		}
		was, known := left[key]
		if now.text != nil && now.revision <= revision || !known {
			was = now
		}
		if delete(tree, key); was.text != nil {
			tree[key] = *was.text
		}
	}
	return tree, released, nil
}

// Rollback returns the draft that brings back what the release with that number left.
// Keys that no release on record has written stay as they are. Release refuses it with a
// ConflictError if somebody writes one of its keys meanwhile.
func (c *Center) Rollback(ctx context.Context, number int64) (Draft, error) {
	h, err := c.recall(ctx)
	if err != nil {
		return Draft{}, err
	}
	tree, released, err := h.at(number)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{Comment: fmt.Sprintf("roll back to release %d", number), restores: number}
	for _, change := range Diff(h.tree(), tree) {
		if released[change.Key] {
			seen := h.entry(change.Key)
			d.Edits = append(d.Edits, Edit{change.Key, change.After, &seen})
		}
	}
	return d, nil
}

// Diff returns what has to change for before to become after, in the order of the keys.
func Diff(before, after Tree) []Change {
	keys := make(map[string]bool)
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	var all []Change
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		change := Change{Key: key, Before: before.text(key), After: after.text(key)}
		if !same(change.Before, change.After) {
			all = append(all, change)
		}
	}
	return all
}

func (t Tree) text(key string) *string {
	text, ok := t[key]
	if !ok {
		return nil
	}
	return &text
}
