package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/logger"
)

// closing is how long the connection of a registry may be closed before the log says so: a
// program that stops closes the registry first, and one whose registry gets other settings
// has the next connection sooner.
const closing = time.Second

// again says when a registry whose connection ended is asked for its next one.
var again = backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second}

// session follows the keys of one source. It has one goroutine, until End.
type session struct {
	own        *etcd.Conn    // nil: the registry's is used
	kept       *claim.Keeper // of keys over own
	registry   connected
	keys       keytree.Keys
	layout     layout.Layout
	applied    *application
	rightAgain time.Duration
	ctx        context.Context
	cancel     context.CancelFunc
	running    sync.WaitGroup

	board *keytree.Board
	// The board guards what follows.
	known    bool  // the keys were listed
	revision int64 // of etcd, up to which the view is known to be right
	link     mirror.Status
	touched  int64           // the revision of the last change of what is read
	alone    bool            // the values are followed without the grays
	denied   error           // why they are
	told     map[string]bool // the lines that the log was last told of the grays
}

var _ keytree.Session = (*session)(nil)

// observer is what the mirror knows of a session.
type observer struct{ *session }

var _ mirror.Observer = observer{}

// Change implements mirror.Observer.
func (o observer) Change(c mirror.Change) { o.changed(c) }

// Status implements mirror.Observer.
func (o observer) Status(s mirror.Status) { o.linked(s) }

// newSession starts a session over the connection of a registry, or over one of its
// own if shared is nil.
func newSession(s *etcdSource, shared connected) *session {
	f := &session{registry: shared, keys: s.keys, layout: layout.Layout{Namespace: s.given.namespace}, applied: s.applied, rightAgain: s.rightAgain, board: keytree.NewBoard("etcd", s.keys, s.opts.Encoder)}
	if shared == nil {
		f.own = s.open()
		f.kept = claim.NewKeeper(f.own)
	}
	s.who.follow(f.readBy)
	// The life of the session, ended by End.
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.running.Go(f.follow)
	if s.publishes() {
		f.running.Go((&publisher{session: f, application: s.applied}).publish)
	}
	return f
}

// End ends the session and waits for it.
func (f *session) End() {
	f.cancel()
	f.running.Wait()
	if f.own != nil {
		_ = f.own.Close() // nothing is left to be done about it
	}
}

// keeper returns who keeps keys over the connection.
func (f *session) keeper() *claim.Keeper {
	if f.own != nil {
		return f.kept
	}
	return f.registry.Keeper()
}

func (f *session) conn() *etcd.Conn {
	if f.own != nil {
		return f.own
	}
	return f.registry.Conn()
}

// follow mirrors the keys. The connection of a registry may be replaced by another.
func (f *session) follow() {
	var closed time.Time // since when the connection is
	for attempt := 0; f.ctx.Err() == nil; attempt++ {
		begun := time.Now()
		err := f.mirror()
		switch {
		case f.ctx.Err() != nil:
			return
		case err == nil:
			continue // with other keys
		case closed.IsZero() || time.Since(begun) > closing:
			closed = time.Now()
		}
		if !errors.Is(err, etcd.ErrClosed) || time.Since(closed) > closing {
			f.linked(mirror.Status{Err: err, Since: time.Now(), Confirmed: begun})
		}
		if time.Since(begun) > again.Max {
			attempt = 0
		}
		timer := time.NewTimer(again.Base + again.Next(attempt))
		select {
		case <-f.ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// readBy takes who reads.
func (f *session) readBy(i source.Instance) {
	f.board.Change(func(v *keytree.View) bool { return v.SetReader(i) })
	f.reportGrays()
	f.applied.look()
}

// changed takes one step of the mirror.
func (f *session) changed(c mirror.Change) {
	var refused []source.Refused
	f.board.Change(func(v *keytree.View) bool {
		refused = f.apply(v, c)
		f.known, f.revision = true, c.Revision
		if f.concerns(c) {
			f.touched = c.Revision
		}
		return true
	})
	for _, r := range refused {
		logger.Warnf("Config [etcd] A value cannot be read and does not count; the last one of its key that could stays: key %q, revision %d: %v", r.Key, r.Revision, r.Err)
	}
	f.reportGrays()
}

// concerns reports whether what is read may be something else by c.
func (f *session) concerns(c mirror.Change) bool {
	return c.Reset || slices.ContainsFunc(c.Events, func(e mirror.Event) bool {
		_, gray := f.grayOf(e.Entry.Key)
		return gray || f.keys.Has(e.Entry.Key)
	})
}

// linked takes how far the mirror can be trusted.
func (f *session) linked(s mirror.Status) {
	var before mirror.Status
	var known bool
	f.board.Look(func(*keytree.View) {
		before, known = f.link, f.known
		f.link = s
	})
	f.applied.look()
	switch {
	case before.Live && !s.Live:
		logger.Warnf("Config [etcd] etcd cannot be followed; the configuration stays as it was: %v", s.Err)
	case !before.Live && s.Live && known && before.Err != nil:
		logger.Infof("Config [etcd] etcd is followed again")
	}
}

// apply takes one step of the mirror and returns what is refused.
func (f *session) apply(v *keytree.View, c mirror.Change) []source.Refused {
	if c.First { // the mirror was made anew: there is nothing but what it lists
		there := make(map[string]bool, len(c.Events))
		for _, e := range c.Events {
			there[e.Entry.Key] = true
		}
		v.KeepOnly(func(key string) bool { return there[key] })
		v.KeepGrays(func(name string) bool { return there[f.layout.ConfigGrays()+name] })
	}
	var refused []source.Refused
	for _, e := range c.Events {
		name, gray := f.grayOf(e.Entry.Key)
		if gray && e.Deleted {
			v.DeleteGray(name)
		} else if gray {
			f.putGray(v, name, e.Entry)
		}
		if e.Deleted {
			v.Delete(e.Entry.Key)
		} else if err := v.Put(e.Entry.Key, e.Entry.Value, e.Entry.ModRevision); err != nil {
			refused = append(refused, source.Refused{Key: e.Entry.Key, Revision: e.Entry.ModRevision, Err: err})
		}
	}
	return refused
}

// catchUp waits until the view is at least as new as etcd is now.
func (f *session) catchUp(ctx context.Context) error {
	const doing = "read configuration"
	written, revision, err := f.followed().Revisions(ctx, f.conn(), doing)
	alone := refusal.Of(err) == refusal.Right
	if alone { // perhaps of the grays alone
		written, revision, err = mirror.Prefix(f.keys.All()).Revisions(ctx, f.conn(), doing)
	}
	if err != nil {
		return err
	}
	values, grays := make(map[string]int64, len(written)), make(map[string]int64)
	for key, at := range written {
		if name, ok := f.grayOf(key); ok {
			grays[name] = at
		}
		if f.keys.Has(key) {
			values[key] = at
		}
	}
	for {
		var reached bool
		var why error
		changed := f.board.Look(func(v *keytree.View) {
			reached = f.known && (f.link.Live && f.revision >= revision || v.At(values) && (alone || f.alone || v.GraysAt(grays)))
			why = f.link.Err
		})
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if f.ctx.Err() != nil {
				return fmt.Errorf("%s: the source is not used any more", doing)
			}
			return fmt.Errorf("%s: etcd has changes that the watch does not tell: %w", doing, errors.Join(why, ctx.Err()))
		}
	}
}

// Board implements keytree.Session.
func (f *session) Board() *keytree.Board { return f.board }

// Status implements keytree.Session.
func (f *session) Status() (s source.Status) {
	f.board.Look(func(v *keytree.View) {
		s = source.Status{Live: f.link.Live, Confirmed: f.link.Confirmed, Err: f.link.Err, Refused: v.Refused(), Grays: v.Grays()}
	})
	if s.Live {
		s.Confirmed = time.Now()
	}
	return s
}
