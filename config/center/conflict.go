package center

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// ConflictError says that a key is not as the editor saw it.
type ConflictError struct {
	Kind   Kind
	Key    string
	Seen   Entry   // what the editor saw
	Ours   *string // what the editor wants, nil to delete it
	Theirs *string // what is there now, nil if nothing is
	// Revision is that of Theirs.
	Revision int64
	// By is the release that wrote Theirs, nil if it was not one of the last ones.
	By *Release
}

// Error implements error. It shows both values, cut short where they are long.
func (e *ConflictError) Error() string {
	by := ""
	if e.By != nil {
		by = fmt.Sprintf(", by %s in release %d", e.By.Who, e.By.Number)
	}
	return fmt.Sprintf("%s was changed meanwhile%s: there is %s now, and yours is %s; look at it and try again", item{e.Kind, e.Key}, by, shown(e.Theirs), shown(e.Ours))
}

// shown is a value as errors show it.
func shown(value *string) string {
	const most = 200
	switch {
	case value == nil:
		return "no value"
	case len(*value) > most:
		return fmt.Sprintf("%.*s... (%d bytes)", most, secret.Hide(*value), len(*value))
	}
	return secret.Hide(*value)
}

// conflict tells an editor who was first.
func (c *Center) conflict(ctx context.Context, e Edit, s state) error {
	found := &ConflictError{Kind: e.Kind, Key: e.Key, Seen: *e.Seen, Ours: e.Value, Theirs: s.text(e.item()), Revision: s.entry(e.item()).Revision}
	r := c.records()
	r.Last, r.Limit = true, 20
	kvs, _, err := c.etcd.Conn().Read(ctx, "read the last releases", r)
	if err != nil {
		return found // it is a conflict all the same
	}
	for _, kv := range kvs {
		one, err := c.release(kv)
		if err != nil {
			continue // the history tells
		}
		for _, change := range one.Changes {
			if change.item() == e.item() && (kv.Created == found.Revision || found.Theirs == nil && change.After == nil) {
				found.By = &one
				return found
			}
		}
	}
	return found
}

// release reads a record.
func (c *Center) release(kv etcd.KV) (Release, error) {
	record, err := layout.DecodeRelease(kv.Value)
	if err != nil {
		return Release{}, fmt.Errorf("key %q: %w; delete it to go on without", kv.Key, err)
	}
	number, _ := c.etcd.Layout().ReleaseOf(kv.Key)
	r := Release{Number: number, Revision: kv.Created, Who: record.Who, When: record.When, Comment: record.Comment, Restores: record.Restores}
	for _, change := range record.Changes {
		r.Changes = append(r.Changes, Change{Kind(change.Kind), string(change.Key), (*string)(change.Before), (*string)(change.After), change.Revision})
	}
	return r, nil
}
