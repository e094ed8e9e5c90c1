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
	s, err := c.read(ctx, 0, KindValue)
	return s.tree(), err
}

// TreeAtRevision returns the configuration as of a revision of etcd, as long as that has
// not forgotten it.
func (c *Center) TreeAtRevision(ctx context.Context, revision int64) (Tree, error) {
	s, err := c.read(ctx, revision, KindValue)
	switch {
	case errors.Is(err, etcd.ErrCompacted), errors.Is(err, etcd.ErrFuture):
		return nil, c.beyond(ctx, revision, err)
	case err != nil:
		return nil, err
	}
	return s.tree(), nil
}

// beyond says which revisions there are, of one that is none of them.
func (c *Center) beyond(ctx context.Context, revision int64, why error) error {
	oldest, newest, err := c.etcd.Conn().Revisions(ctx, etcd.Below(c.prefix(KindValue)))
	if err != nil {
		return fmt.Errorf("read the configuration as of revision %d: %w", revision, errors.Join(why, err))
	}
	is := etcd.ErrFuture
	if errors.Is(why, etcd.ErrCompacted) {
		is = etcd.ErrCompacted
	}
	return fmt.Errorf("read the configuration as of revision %d: %w: name one from %d to %d, or a release, whose values stay", revision, is, oldest, newest)
}

// TreeAt returns the configuration as the release with that number left it, as far as
// records and keys tell: what was written past the Center before that, and was written
// over since past the Center too, is known to nobody.
func (c *Center) TreeAt(ctx context.Context, number int64) (Tree, error) {
	h, err := c.recall(ctx, "")
	if err != nil {
		return nil, err
	}
	then, err := h.at(number)
	if err != nil {
		return nil, err
	}
	s, err := c.read(ctx, h.revision, KindValue)
	if err != nil {
		return nil, err
	}
	tree := s.tree()
	for i, text := range then {
		if i.kind != KindValue {
			continue
		}
		if delete(tree, i.key); text != nil {
			tree[i.key] = *text
		}
	}
	return tree, nil
}

func (s state) tree() Tree {
	tree := make(Tree, len(s.items))
	for i, kv := range s.items {
		if i.kind == KindValue {
			tree[i.key] = string(kv.Value)
		}
	}
	return tree
}

// at returns what the items that releases on record have written were after a release.
func (h history) at(number int64) (map[item]*string, error) {
	n := slices.IndexFunc(h.releases, func(r Release) bool { return r.Number == number })
	if n < 0 {
		return nil, fmt.Errorf("look up release %d: %w", number, ErrNoRelease)
	}
	revision := h.releases[n].Revision
	left := make(map[item]written)
	for _, r := range h.releases[:n+1] {
		for _, change := range r.Changes {
			left[change.item()] = writtenBy(r, change)
		}
	}
	// next is what was there when it was next looked at: the value of then as well, if
	// it was written before.
	next := make(map[item]written)
	for _, r := range h.releases[n+1:] {
		for _, change := range r.Changes {
			if _, known := next[change.item()]; !known {
				next[change.item()] = written{change.Before, change.Revision}
			}
		}
	}
	then := make(map[item]*string)
	for i, was := range left {
		then[i] = was.text
		if _, seen := next[i]; !seen {
			next[i] = written{h.text(i), h.entry(i).Revision}
		}
	}
	for i, now := range next {
		if _, known := left[i]; !known || now.text != nil && now.revision <= revision {
			then[i] = now.text
		}
	}
	return then, nil
}

// Changes returns what has to change for what one release left to become what another
// one left, or what there is now if to is 0: of keys of every kind that releases on
// record have written, in the order of kinds and keys.
func (c *Center) Changes(ctx context.Context, from, to int64) ([]Change, error) {
	h, err := c.recall(ctx, "")
	if err != nil {
		return nil, err
	}
	before, err := h.at(from)
	if err != nil {
		return nil, err
	}
	after := make(map[item]*string)
	for i := range before {
		after[i] = h.text(i)
	}
	if to != 0 {
		if after, err = h.at(to); err != nil {
			return nil, err
		}
	}
	var all []Change
	for i, text := range before {
		if !same(text, after[i]) {
			all = append(all, Change{Kind: i.kind, Key: i.key, Before: text, After: after[i]})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return compare(a.item(), b.item()) })
	return all, nil
}

// Rollback returns the draft that brings back what the release with that number left.
// Keys that no release on record has written stay as they are. Release refuses it with a
// ConflictError if somebody writes one of its keys meanwhile.
func (c *Center) Rollback(ctx context.Context, number int64) (Draft, error) {
	return c.RollbackUnder(ctx, number, "")
}

// RollbackUnder is Rollback for the key under and those below it, of values and schemas:
// everything else stays as it is, and is not read.
func (c *Center) RollbackUnder(ctx context.Context, number int64, under string) (Draft, error) {
	h, err := c.recall(ctx, under)
	if err != nil {
		return Draft{}, err
	}
	then, err := h.at(number)
	if err != nil {
		return Draft{}, err
	}
	what := "roll back"
	if under != "" {
		what += " " + under
	}
	d := Draft{Comment: fmt.Sprintf("%s to release %d", what, number), restores: number}
	for _, i := range slices.SortedFunc(maps.Keys(then), compare) {
		if text := then[i]; !same(text, h.text(i)) {
			seen := h.entry(i)
			d.Edits = append(d.Edits, Edit{i.kind, i.key, text, &seen})
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
