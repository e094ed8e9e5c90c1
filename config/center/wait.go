package center

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/refusal"
)

// Progress is how far a release has come among the instances that read what it changed.
type Progress struct {
	Have    []Instance `json:"have"`
	Refused []Instance `json:"refused"` // they stay at what they had
	Waiting []Instance `json:"waiting"` // they have yet to take it
	// Gone were waited for and went before they had it: they were stopped, or ended with
	// what they were given and their lease ran out. One that is back is in it no more.
	Gone []Instance `json:"gone"`
	// Away says why etcd does not tell what instances do, nil if it does.
	Away error `json:"-"`
}

// WaitError says which instances do not have a release.
type WaitError struct {
	Progress
	// Err is why the waiting ended, nil if there was nobody left to wait for.
	Err error
}

// Error implements error. It names some of the instances.
func (e *WaitError) Error() string {
	var parts []string
	add := func(all []Instance, what [2]string, why func(Instance) string) {
		const most = 5
		if len(all) == 0 {
			return
		}
		var names []string
		for _, i := range all[:min(most, len(all))] {
			names = append(names, i.Node+why(i))
		}
		if n := len(all) - most; n > 0 {
			names = append(names, fmt.Sprintf("and %d more", n))
		}
		does := what[0]
		if len(all) > 1 {
			does = what[1]
		}
		of := len(e.Have) + len(e.Refused) + len(e.Waiting) + len(e.Gone)
		parts = append(parts, fmt.Sprintf("%d of %d %s: %s", len(all), of, does, strings.Join(names, ", ")))
	}
	add(e.Refused, [2]string{"refuses it", "refuse it"}, func(i Instance) string {
		for _, r := range i.Refused {
			return fmt.Sprintf(" (%s: %s)", r.Where(), r.Reason)
		}
		return ""
	})
	add(e.Gone, [2]string{"went before it had it, stopped or with its lease run out", "went before they had it, stopped or with their leases run out"}, func(i Instance) string {
		return fmt.Sprintf(" (at revision %d)", i.Revision)
	})
	add(e.Waiting, [2]string{"does not have it", "do not have it"}, func(i Instance) string {
		if i.Stale != "" {
			return fmt.Sprintf(" (at revision %d, %s)", i.Revision, i.Stale)
		}
		return fmt.Sprintf(" (at revision %d)", i.Revision)
	})
	if e.Away != nil {
		parts = append(parts, fmt.Sprintf("it is not known who has it: %v", e.Away))
	}
	if len(parts) == 0 {
		parts = append(parts, "it is not known who has it: etcd did not tell in time")
	}
	return strings.Join(parts, "; ")
}

// Unwrap returns why the waiting ended.
func (e *WaitError) Unwrap() error { return e.Err }

// touched is a key that was changed.
type touched struct {
	key      string // of etcd
	gray     bool   // it is of a gray
	revision int64
}

// Wait returns when each instance that reads what r changed has it, those that come
// meanwhile too. It returns a WaitError if some refuse it, or went before they had it, and
// the others have it, or if ctx is done before. told, if not nil, hears of each change of
// the Progress; it must return quickly.
func (c *Center) Wait(ctx context.Context, r Release, told func(Progress)) error {
	l := c.etcd.Layout()
	var all []touched
	for _, change := range r.Changes {
		switch change.Kind {
		case KindValue:
			all = append(all, touched{l.Config() + change.Key, false, r.Revision})
		case KindGray:
			for _, text := range []*string{change.Before, change.After} {
				all = append(all, graysKeys(l, text, r.Revision)...)
			}
		}
	}
	return c.wait(ctx, "", all, told)
}

// graysKeys returns the keys that a gray has a value for.
func graysKeys(l layout.Layout, text *string, revision int64) (all []touched) {
	if text == nil {
		return nil
	}
	r, err := gray.Decode([]byte(*text))
	if err != nil {
		return nil // nobody reads it
	}
	for _, key := range r.Keys() {
		all = append(all, touched{l.Config() + key, true, revision})
	}
	return all
}

// WaitAll is Wait for all that there is now, among the instances of a service, or of every
// service if that is empty.
func (c *Center) WaitAll(ctx context.Context, service string, told func(Progress)) error {
	l := c.etcd.Layout()
	s, err := c.read(ctx, 0, KindValue, KindGray)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: to wait for all that there is takes the right to read all of it, to wait for a release does not", err)
	}
	if err != nil {
		return err
	}
	var all []touched
	for i, kv := range s.items {
		if i.kind == KindValue {
			all = append(all, touched{kv.Key, false, kv.Written})
			continue
		}
		text := string(kv.Value)
		all = append(all, graysKeys(l, &text, kv.Written)...)
	}
	return c.wait(ctx, service, all, told)
}

// wait is Wait for keys that were changed.
func (c *Center) wait(ctx context.Context, service string, all []touched, told func(Progress)) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	l := c.etcd.Layout()
	w := &waiting{
		layout: l, service: service, touched: all, told: told, end: end, conn: c.etcd.Conn(),
		instances: make(map[string]Instance), late: make(map[string]Instance), wants: make(map[layout.ReadsRecord]want),
	}
	prefix := l.ConfigApplied()
	if service != "" {
		prefix = l.ConfigAppliedOf(service)
	}
	if err := mirror.Follow(ctx, c.etcd.Conn(), mirror.Prefix(prefix), w); err != nil {
		return err
	}
	why := context.Cause(ctx)
	if errors.Is(why, errAnswered) {
		why = nil
		if len(w.Refused)+len(w.Gone) == 0 {
			return nil
		}
	}
	if w.Have == nil && w.Away == nil { // etcd fell silent before it told of any
		w.Away = c.etcd.Conn().Explain("list the instances", why)
	}
	return &WaitError{w.Progress, why}
}

// errAnswered says that there is nobody left to wait for.
var errAnswered = errors.New("every instance has answered")

// waiting follows the records of instances.
type waiting struct {
	Progress
	layout  layout.Layout
	service string
	touched []touched
	told    func(Progress)
	end     context.CancelCauseFunc
	conn    *etcd.Conn

	instances map[string]Instance // by key
	late      map[string]Instance // those of Waiting and Gone, by key
	wants     map[layout.ReadsRecord]want
}

var _ mirror.Observer = (*waiting)(nil)

// want is what is waited for among those who read the same.
type want struct {
	revision int64      // 0: nothing
	paths    [][]string // of the values that were changed
}

// Change implements mirror.Observer.
func (w *waiting) Change(c mirror.Change) {
	if c.First {
		clear(w.instances)
	}
	for _, e := range c.Events {
		delete(w.instances, e.Entry.Key)
		if e.Deleted {
			continue
		}
		i, err := instanceOf(w.layout, e.Entry.Key, e.Entry.Value)
		if err == nil && (w.service == "" || i.Service == w.service) {
			w.instances[e.Entry.Key] = i
		}
	}
	w.look()
}

// Status implements mirror.Observer. What somebody has to mend is not waited for.
func (w *waiting) Status(s mirror.Status) {
	back := w.Away != nil && s.Err == nil
	w.Away = w.conn.Explain("follow the instances", s.Err)
	if refusal.Of(s.Err) != refusal.None {
		w.end(s.Err)
	}
	if (s.Err != nil || back) && w.told != nil {
		w.told(w.Progress)
	}
}

// look tells who has it, and ends the waiting if everybody has answered.
func (w *waiting) look() {
	w.Progress = Progress{Have: []Instance{}, Refused: []Instance{}, Waiting: []Instance{}, Gone: []Instance{}, Away: w.Away}
	back := make(map[[2]string]bool)
	for _, key := range slices.Sorted(maps.Keys(w.instances)) {
		i := w.instances[key]
		wanted := w.wantOf(i.reads)
		if wanted.revision == 0 {
			continue
		}
		i.Newest = wanted.revision
		back[[2]string{i.Service, i.Node}] = true
		delete(w.late, key)
		refuses := slices.DeleteFunc(slices.Clone(i.Refused), func(r Refusal) bool { return !wanted.concerns(keysOf(w.layout, i.reads), r) })
		switch {
		case i.Stale != "":
			i.State = Stale
			w.Waiting = append(w.Waiting, i)
		case i.Revision < wanted.revision:
			i.State = Behind
			w.Waiting = append(w.Waiting, i)
		case len(refuses) > 0:
			i.State, i.Refused = Refusing, refuses
			w.Refused = append(w.Refused, i)
		default:
			i.State = Current
			if len(i.Grays) > 0 {
				i.State = OnGray
			}
			w.Have = append(w.Have, i)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.late)) {
		if i := w.late[key]; back[[2]string{i.Service, i.Node}] {
			delete(w.late, key)
		} else {
			w.Gone = append(w.Gone, i)
		}
	}
	for _, i := range w.Waiting {
		w.late[i.key] = i
	}
	if w.told != nil {
		w.told(w.Progress)
	}
	if len(w.Waiting) == 0 {
		w.end(errAnswered)
	}
}

// wantOf returns what is waited for among those who read r.
func (w *waiting) wantOf(r layout.ReadsRecord) want {
	found, known := w.wants[r]
	if known {
		return found
	}
	k := keysOf(w.layout, r)
	for _, t := range w.touched {
		path, read := k.Path(t.key)
		if !read || t.gray && r.NoGrays {
			continue
		}
		found.revision = max(found.revision, t.revision)
		found.paths = append(found.paths, path)
	}
	w.wants[r] = found
	return found
}

// concerns reports whether a refusal is of something that was changed: of a value in whose
// place, above or below it, one was.
func (w want) concerns(k keytree.Keys, r Refusal) bool {
	path := r.Path
	if r.Key != "" {
		var read bool
		if path, read = k.Path(r.Key); !read {
			return true // of a gray
		}
	}
	return slices.ContainsFunc(w.paths, func(changed []string) bool {
		n := min(len(path), len(changed))
		return slices.Equal(path[:n], changed[:n])
	})
}
