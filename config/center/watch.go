package center

import (
	"context"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// Watch calls f for what changes at the key under and below it, at every key if that is
// empty, one call at a time, until ctx is done. What is there when it begins is no
// change; what changes while etcd cannot be reached is told as one when it can. status,
// if not nil, hears whether etcd is followed, and if not, why; its first call with nil
// says that from now on nothing is missed. Both must return quickly.
func (c *Center) Watch(ctx context.Context, under string, f func(revision int64, changes []Change), status func(error)) error {
	prefix := c.etcd.Layout().Config()
	w := &watch{prefix: prefix, under: under, told: f, status: status, values: make(map[string]written)}
	return mirror.Follow(ctx, c.etcd.Conn(), mirror.Prefix(prefix), w)
}

// watch makes changes of what a mirror tells.
type watch struct {
	prefix, under string
	told          func(int64, []Change)
	status        func(error)
	values        map[string]written
}

var _ mirror.Observer = (*watch)(nil)

// Change implements mirror.Observer.
func (w *watch) Change(c mirror.Change) {
	var changes []Change
	for _, e := range c.Events {
		key := e.Entry.Key[len(w.prefix):]
		was, now := w.values[key], written{}
		if e.Deleted {
			delete(w.values, key)
		} else {
			text := string(e.Entry.Value)
			now = written{&text, e.Entry.ModRevision}
			w.values[key] = now
		}
		if !same(was.text, now.text) && Within(key, w.under) {
			changes = append(changes, Change{KindValue, key, was.text, now.text, was.revision})
		}
	}
	if len(changes) > 0 && !c.First {
		w.told(c.Revision, changes)
	}
}

// Status implements mirror.Observer.
func (w *watch) Status(s mirror.Status) {
	if w.status != nil && (s.Live || s.Err != nil) {
		w.status(s.Err)
	}
}
