package center

import (
	"context"
	"fmt"
	"slices"
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
	Changes  []Change `json:"changes"` // in the order of kinds and keys
	// Unseen are the keys above those that Release or Plan set, which the user may not
	// read. Whether one has a value, and go-micro v2 would lose one of the two, is not
	// known. The History does not tell.
	Unseen []string `json:"unseen,omitempty"`
	// Violations are what schemas do not take of what Release or Plan was forced to do,
	// and Unjudged says that the user may not read the schemas. The History tells neither.
	Violations []Finding `json:"violations,omitempty"`
	Unjudged   bool      `json:"unjudged,omitempty"`
}

// Change is what happened to one key.
type Change struct {
	Kind     Kind    `json:"kind,omitempty"`
	Key      string  `json:"key"`
	Before   *string `json:"before"`             // nil if there was no such key
	After    *string `json:"after"`              // nil if it was deleted
	Revision int64   `json:"revision,omitempty"` // at which Before was written, if known
}

func (c Change) item() item { return item{c.Kind, c.Key} }

// Draft is a release to be made.
type Draft struct {
	Who, Comment string
	Edits        []Edit
	// Force releases what violates schemas; the Release says which.
	Force    bool
	restores int64
}

// Edit is what a draft does to one key.
type Edit struct {
	Kind Kind
	Key  string
	// Value is the new value, JSON, or nil to delete the key.
	Value *string
	// Seen is the entry that the editor looked at, an Entry without a Revision if there
	// was none: the release is refused with a ConflictError if another one is there now.
	// With nil that is so for the entry that is there when Release begins.
	Seen *Entry
}

func (e Edit) item() item { return item{e.Kind, e.Key} }

// Put is the edit that sets a key.
func Put(key, value string) Edit { return Edit{Key: key, Value: &value} }

// Delete is the edit that deletes a key.
func Delete(key string) Edit { return Edit{Key: key} }

// Plan returns what Release would do, and does not do it.
func (c *Center) Plan(ctx context.Context, d Draft) (Release, error) {
	s, err := c.look(ctx, d)
	if err != nil {
		return Release{}, err
	}
	r, _, err := c.plan(ctx, d, s)
	return r, err
}

// Release makes all edits at once, or none. Edits that change nothing are left out; if
// none is left it returns ErrNoChange. It is refused before anything is written if a key
// or a value is one that readers would not take, with a SchemaError if a schema does not
// take it, or if it is more than etcd takes in one transaction.
func (c *Center) Release(ctx context.Context, d Draft) (Release, error) {
	d.Edits = slices.Clone(d.Edits)
	for {
		s, err := c.look(ctx, d)
		if err != nil {
			return Release{}, err
		}
		for i, e := range d.Edits {
			if e.Seen == nil {
				seen := s.entry(e.item())
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

// settle finds out what became of a release whose transaction failed with err.
func (c *Center) settle(ctx context.Context, r Release, id string, err error) (Release, error) {
	if etcd.RefusedWrite(err) {
		return Release{}, err
	}
	key := c.etcd.Layout().Release(r.Number)
	kvs, _, unread := c.etcd.Conn().Read(ctx, "read the release", etcd.Range{From: key})
	if unread == nil && len(kvs) == 1 {
		if record, bad := layout.DecodeRelease(kvs[0].Value); bad == nil && record.ID == id {
			r.Revision = kvs[0].Created
			return r, nil
		}
		return Release{}, err // the number is another release's, and ours can no more be made
	}
	return Release{}, fmt.Errorf("%w: %w", ErrUncertain, err)
}
