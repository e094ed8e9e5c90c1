package center

import (
	"context"
	"slices"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Preview is what there would be after a release, for whoever checks it. What was read
// from it stays so until the release is made, or it is checked again. It is of use to
// one goroutine, while the check runs.
type Preview struct {
	center *Center
	sight
	draft   Draft
	changes []Change
	guards  []func(*etcd.Txn)

	unjudged bool // the user may not read the schemas
}

// Changes returns what would change, in the order of kinds and keys. The slice is the
// caller's.
func (p *Preview) Changes() []Change { return slices.Clone(p.changes) }

// Restores returns the number of the release whose state is brought back, or 0.
func (p *Preview) Restores() int64 { return p.draft.restores }

// Get returns what a key of a kind would be, nil if it would not be there.
func (p *Preview) Get(ctx context.Context, kind Kind, key string) (*string, error) {
	wanted := item{kind, key}
	for _, change := range p.changes {
		if change.item() == wanted {
			return change.After, nil
		}
	}
	place := p.center.place(wanted)
	kvs, _, err := p.center.etcd.Conn().Read(ctx, "read "+wanted.String(), etcd.Range{From: place, Revision: p.revision})
	if err != nil {
		return nil, err
	}
	if len(kvs) == 0 {
		p.guards = append(p.guards, func(txn *etcd.Txn) { txn.Unwritten(place, 0) })
		return nil, nil
	}
	p.guards = append(p.guards, func(txn *etcd.Txn) { txn.Unwritten(place, kvs[0].Written) })
	text := string(kvs[0].Value)
	return &text, nil
}

// List returns what the key under of a kind and all keys below it would be, every key of
// that kind if it is empty.
func (p *Preview) List(ctx context.Context, kind Kind, under string) (Tree, error) {
	ranges := p.center.below(kind, under)
	t, err := p.listed(ctx, kind, region(kind, under), ranges)
	if err != nil {
		return nil, err
	}
	for _, r := range ranges {
		p.guards = append(p.guards, func(txn *etcd.Txn) { txn.NoneSince(r, p.revision) })
	}
	return t, nil
}

// listed returns what the keys of ranges would be.
func (p *Preview) listed(ctx context.Context, kind Kind, what string, ranges []etcd.Range) (Tree, error) {
	found, _, err := p.center.etcd.Conn().ReadAll(ctx, "read "+what, p.revision, ranges...)
	if err != nil {
		return nil, err
	}
	prefix := p.center.prefix(kind)
	t := make(Tree)
	for _, kv := range slices.Concat(found...) {
		t[kv.Key[len(prefix):]] = string(kv.Value)
	}
	for _, change := range p.changes {
		at := prefix + change.Key
		if change.Kind != kind || !slices.ContainsFunc(ranges, func(r etcd.Range) bool { return r.Has(at) }) {
			continue
		}
		if delete(t, change.Key); change.After != nil {
			t[change.Key] = *change.After
		}
	}
	return t, nil
}
