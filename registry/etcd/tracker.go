package etcd

import (
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// row is a record as it stands in etcd, decoded.
type row struct {
	key   string
	head  *registry.Service // what it says of the service, which may be that of other rows; immutable
	node  *registry.Node    // immutable
	lease int64
	sum   uint64 // of the value
}

// seed makes the sums of this process.
var seed = maphash.MakeSeed()

func (r *row) id() record.ID { return record.ID{Service: r.head.Name, Node: r.node.Id} }

// service returns the record by itself.
func (r *row) service() *registry.Service {
	s := *r.head
	s.Nodes = []*registry.Node{r.node}
	return &s
}

// same reports whether what is in etcd is the same for r and s.
func (r *row) same(s *row) bool { return r.lease == s.lease && r.sum == s.sum }

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
	reader  layout.Reader
	skipped *atomic.Int64
	rows    rows
}

// rows are sorted by key.
type rows []row

func (all rows) find(key string) (int, bool) {
	return slices.BinarySearchFunc(all, key, func(r row, key string) int { return strings.Compare(r.key, key) })
}

// get returns a copy of the row of a key, nil if there is none.
func (all rows) get(key string) *row {
	i, ok := all.find(key)
	if !ok {
		return nil
	}
	r := all[i]
	return &r
}

// put makes r, nil for none, the row of a key.
func (all *rows) put(key string, r *row) {
	i, ok := all.find(key)
	switch {
	case ok && r == nil:
		*all = slices.Delete(*all, i, i+1)
	case ok:
		(*all)[i] = *r
	case r != nil:
		if n := len(*all); n == cap(*all) {
			*all = append(make(rows, 0, n+n/8+4), *all...) // append would take up to as much again
		}
		*all = slices.Insert(*all, i, *r)
	}
}

// apply takes in one change and returns the steps that it consists of. For the
// first listing of a mirror they are the difference to what was known from the
// mirror before, if there was one.
func (t *tracker) apply(c mirror.Change) []step {
	if c.First {
		return t.begin(c)
	}
	var steps []step
	for _, e := range c.Events {
		was := t.rows.get(e.Entry.Key)
		is, leaving := t.read(e, was)
		t.rows.put(e.Entry.Key, is)
		steps = appendStep(steps, was, is, leaving)
	}
	return steps
}

// begin is apply for a first listing.
func (t *tracker) begin(c mirror.Change) []step {
	var steps []step
	next := make(rows, 0, len(c.Events))
	listed := make(map[string]bool, len(c.Events))
	for _, e := range c.Events {
		was := t.rows.get(e.Entry.Key)
		is, leaving := t.read(e, was)
		listed[e.Entry.Key] = true
		if is != nil {
			next = append(next, *is)
		}
		if was == nil || is == nil || !was.same(is) {
			steps = appendStep(steps, was, is, leaving)
		}
	}
	for _, r := range t.rows {
		if !listed[r.key] {
			steps = appendStep(steps, &r, nil, false)
		}
	}
	slices.SortFunc(next, func(a, b row) int { return strings.Compare(a.key, b.key) })
	t.rows = next
	return steps
}

// read returns the record after e, nil if there is none to be read or if it says
// that its node is leaving. Where it is what it was, the views' copy of it stays the one.
func (t *tracker) read(e mirror.Event, was *row) (is *row, leaving bool) {
	if e.Deleted {
		return nil, false
	}
	s, n, err := t.reader.Decode(e.Entry.Key, e.Entry.Value)
	switch {
	case errors.Is(err, layout.ErrLeaving):
		return nil, true
	case err != nil:
		t.skipped.Add(1)
		return nil, false
	case t.name != "" && s.Name != t.name:
		return nil, false
	}
	is = &row{key: e.Entry.Key, head: s, node: n, lease: e.Entry.Lease, sum: maphash.Bytes(seed, e.Entry.Value)}
	if was != nil && was.sum == is.sum {
		is.key, is.head, is.node = was.key, was.head, was.node
	}
	return is, false
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
