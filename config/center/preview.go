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
	found, _, err := p.center.etcd.Conn().ReadAll(ctx, "read "+region(kind, under), p.revision, ranges...)
	if err != nil {
		return nil, err
	}
	t := make(Tree)
	for n, r := range ranges {
		for _, kv := range found[n] {
			t[kv.Key[len(p.center.prefix(kind)):]] = string(kv.Value)
		}
		p.guards = append(p.guards, func(txn *etcd.Txn) { txn.NoneSince(r, p.revision) })
	}
	for _, change := range p.changes {
		if change.Kind != kind || !Within(change.Key, under) {
			continue
		}
		if delete(t, change.Key); change.After != nil {
			t[change.Key] = *change.After
		}
	}
	return t, nil
}
