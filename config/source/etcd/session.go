package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/logger"
)

// again says when a registry whose connection ended is asked for its next one.
var again = backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second}

// session follows the keys of one source. It has one goroutine, until End.
type session struct {
	own      *etcd.Conn // nil: the registry's is used
	registry connected
	keys     keytree.Keys
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	board *keytree.Board
	// The board guards what follows.
	known    bool  // the keys were listed
	revision int64 // of etcd, up to which the view is known to be right
	link     mirror.Status
	instance source.Instance // who reads
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
	f := &session{registry: shared, keys: s.keys, board: keytree.NewBoard("etcd", s.keys, s.opts.Encoder)}
	if shared == nil {
		f.own = s.open()
	}
	s.who.follow(f.readBy)
	// The life of the session, ended by End.
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.running.Go(f.follow)
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

func (f *session) conn() *etcd.Conn {
	if f.own != nil {
		return f.own
	}
	return f.registry.Conn()
}

// follow mirrors the keys. The connection of a registry may be replaced by another.
func (f *session) follow() {
	for attempt := 0; f.ctx.Err() == nil; attempt++ {
		begun := time.Now()
		err := mirror.Follow(f.ctx, f.conn(), mirror.Prefix(f.keys.All()), observer{f})
		if f.ctx.Err() != nil {
			return
		}
		f.linked(mirror.Status{Err: err, Since: time.Now(), Confirmed: begun})
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
	f.board.Change(func(*keytree.View) bool {
		f.instance = i
		return false // until something depends on it
	})
}

// changed takes one step of the mirror.
func (f *session) changed(c mirror.Change) {
	var refused []source.Refused
	f.board.Change(func(v *keytree.View) bool {
		refused = apply(v, c)
		f.known, f.revision = true, c.Revision
		return true
	})
	for _, r := range refused {
		logger.Warnf("Config [etcd] A value cannot be read and does not count; the last one of its key that could stays: key %q, revision %d: %v", r.Key, r.Revision, r.Err)
	}
}

// linked takes how far the mirror can be trusted.
func (f *session) linked(s mirror.Status) {
	var before mirror.Status
	var known bool
	f.board.Look(func(*keytree.View) {
		before, known = f.link, f.known
		f.link = s
	})
	switch {
	case before.Live && !s.Live:
		logger.Warnf("Config [etcd] etcd cannot be followed; the configuration stays as it was: %v", s.Err)
	case !before.Live && s.Live && known && before.Err != nil:
		logger.Infof("Config [etcd] etcd is followed again")
	}
}

// apply takes one step of the mirror and returns the values that are refused.
func apply(v *keytree.View, c mirror.Change) []source.Refused {
	if c.First { // the mirror was made anew: there is nothing but what it lists
		there := make(map[string]bool, len(c.Events))
		for _, e := range c.Events {
			there[e.Entry.Key] = true
		}
		v.KeepOnly(func(key string) bool { return there[key] })
	}
	var refused []source.Refused
	for _, e := range c.Events {
		if e.Deleted {
			v.Delete(e.Entry.Key)
		} else if err := v.Put(e.Entry.Key, e.Entry.Value, e.Entry.ModRevision); err != nil {
			refused = append(refused, source.Refused{Key: e.Entry.Key, Revision: e.Entry.ModRevision, Err: err})
		}
	}
	return refused
}

// reach waits until the view is at least as new as what etcd answered.
func (f *session) reach(ctx context.Context, now *clientv3.GetResponse) error {
	wanted := make(map[string]int64, len(now.Kvs))
	for _, kv := range now.Kvs {
		if f.keys.Has(string(kv.Key)) {
			wanted[string(kv.Key)] = kv.ModRevision
		}
	}
	for {
		var reached bool
		var why error
		changed := f.board.Look(func(v *keytree.View) {
			reached = f.known && (f.link.Live && f.revision >= now.Header.Revision || v.At(wanted))
			why = f.link.Err
		})
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if f.ctx.Err() != nil {
				return errors.New("read configuration: the source is not used any more")
			}
			return fmt.Errorf("read configuration: etcd has changes that the watch does not tell: %w", errors.Join(why, ctx.Err()))
		}
	}
}

// Board implements keytree.Session.
func (f *session) Board() *keytree.Board { return f.board }

// Status implements keytree.Session.
func (f *session) Status() (s source.Status) {
	f.board.Look(func(v *keytree.View) {
		s = source.Status{Live: f.link.Live, Confirmed: f.link.Confirmed, Err: f.link.Err, Refused: v.Refused()}
	})
	if s.Live {
		s.Confirmed = time.Now()
	}
	return s
}
