package etcd

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// row is a record as it stands in etcd, decoded.
type row struct {
	service *registry.Service // with its one node; shared and immutable
	value   []byte
	lease   int64
	rev     int64
}

func (r *row) id() record.ID {
	return record.ID{Service: r.service.Name, Node: r.service.Nodes[0].Id}
}

// same reports whether nobody wrote the record between r and s.
func (r *row) same(s *row) bool {
	return r.rev == s.rev && r.lease == s.lease && bytes.Equal(r.value, s.value)
}

// step is what happened to one record: it came (no was), went (no is), or changed
// (both, about the same node).
type step struct {
	was, is *row
	leaving bool // it went, having said so
}

// tracker turns the changes of keys into steps of records. It passes over what
// cannot be read, and what is about another service if it has a name.
type tracker struct {
	name    string
	layout  layout.Layout
	skipped *atomic.Int64
	rows    map[string]*row // by key
}

// apply takes in one change and returns the steps that it consists of. For the
// first listing of a mirror they are the difference to what was known from the
// mirror before, if there was one.
func (t *tracker) apply(c mirror.Change) []step {
	var steps []step
	next := t.rows
	if c.First || next == nil {
		next = make(map[string]*row, len(c.Events))
	}
	for _, e := range c.Events {
		key := e.Entry.Key
		was := t.rows[key]
		is, leaving := t.read(e)
		delete(t.rows, key)
		if is != nil {
			next[key] = is
		}
		if c.First && was != nil && is != nil && was.same(is) {
			continue
		}
		steps = appendStep(steps, was, is, leaving)
	}
	if c.First {
		// What is left of the rows before is not in the listing.
		for _, key := range slices.Sorted(maps.Keys(t.rows)) {
			steps = appendStep(steps, t.rows[key], nil, false)
		}
	}
	t.rows = next
	return steps
}

// read returns the record after e, nil if there is none to be read or if it says
// that its node is leaving.
func (t *tracker) read(e mirror.Event) (is *row, leaving bool) {
	if e.Deleted {
		return nil, false
	}
	s, err := t.layout.Decode(e.Entry.Key, e.Entry.Value)
	switch {
	case errors.Is(err, layout.ErrLeaving):
		return nil, true
	case err != nil:
		t.skipped.Add(1)
		return nil, false
	case t.name != "" && s.Name != t.name:
		return nil, false
	}
	return &row{service: s, value: e.Entry.Value, lease: e.Entry.Lease, rev: e.Entry.ModRevision}, false
}

// appendStep appends the way from was to is. Where a key passed from one node to
// another whose name is written alike, that is two steps.
func appendStep(steps []step, was, is *row, leaving bool) []step {
	switch {
	case was == nil && is == nil:
		return steps
	case was != nil && is != nil && was.id() != is.id():
		return append(steps, step{was: was}, step{is: is})
	default:
		return append(steps, step{was: was, is: is, leaving: leaving})
	}
}
