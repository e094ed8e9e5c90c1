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
	"github.com/rollcall-go/micro/logger"
)

// again says when a registry whose connection ended is asked for its next one.
var again = backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second}

// session follows the keys of one source. It has one goroutine, until end.
type session struct {
	own      *etcd.Conn // nil: the registry's is used
	registry connected
	keys     keys
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex
	view     *view
	known    bool          // the keys were listed
	revision int64         // of etcd, up to which view is known to be right
	state    uint64        // grows with each change
	changed  chan struct{} // closed with the next change
	set      *source.ChangeSet
	setOf    uint64 // the state of set
	link     mirror.Status
}

var _ mirror.Observer = (*session)(nil)

// newSession starts a session over the connection of a registry, or over one of its
// own if shared is nil.
func newSession(s *etcdSource, shared connected) *session {
	f := &session{registry: shared, keys: s.keys, view: newView(s.keys, s.opts.Encoder), changed: make(chan struct{})}
	if shared == nil {
		f.own = s.open()
	}
	// The life of the session, ended by end.
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.running.Go(f.follow)
	return f
}

// end ends the session and waits for it.
func (f *session) end() {
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
		err := mirror.Follow(f.ctx, f.conn(), mirror.Prefix(f.keys.all()), f)
		if f.ctx.Err() != nil {
			return
		}
		f.Status(mirror.Status{Err: err, Since: time.Now(), Confirmed: begun})
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

// Change implements mirror.Observer.
func (f *session) Change(c mirror.Change) {
	f.mu.Lock()
	refused := f.view.apply(c)
	f.known, f.revision = true, c.Revision
	f.state++
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	for _, r := range refused {
		logger.Warnf("Config [etcd] A value cannot be read and does not count; the last one of its key that could stays: key %q, revision %d: %v", r.Key, r.Revision, r.Err)
	}
}

// Status implements mirror.Observer.
func (f *session) Status(s mirror.Status) {
	f.mu.Lock()
	before := f.link
	f.link = s
	known := f.known
	f.mu.Unlock()
	switch {
	case before.Live && !s.Live:
		logger.Warnf("Config [etcd] etcd cannot be followed; the configuration stays as it was: %v", s.Err)
	case !before.Live && s.Live && known && before.Err != nil:
		logger.Infof("Config [etcd] etcd is followed again")
	}
}

// now returns the present state.
func (f *session) now() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// wait returns the present state and a channel that is closed with the next one.
func (f *session) wait() (uint64, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.changed
}

// changeSet returns the configuration.
func (f *session) changeSet() (*source.ChangeSet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set == nil || f.setOf != f.state {
		text, err := f.view.text()
		if err != nil {
			return nil, err
		}
		f.set = &source.ChangeSet{Data: text, Format: "json", Source: "etcd", Timestamp: time.Now()}
		f.set.Checksum = f.set.Sum()
		f.setOf = f.state
	}
	set := *f.set
	return &set, nil
}

// reach waits until the view is at least as new as what etcd answered.
func (f *session) reach(ctx context.Context, now *clientv3.GetResponse) error {
	wanted := make(map[string]int64, len(now.Kvs))
	for _, kv := range now.Kvs {
		if _, ok := f.keys.place(string(kv.Key)); ok {
			wanted[string(kv.Key)] = kv.ModRevision
		}
	}
	for {
		f.mu.Lock()
		reached := f.known && (f.link.Live && f.revision >= now.Header.Revision || f.view.at(wanted))
		changed, why := f.changed, f.link.Err
		f.mu.Unlock()
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

func (f *session) status() source.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := source.Status{Source: "etcd", Live: f.link.Live, Confirmed: f.link.Confirmed, Err: f.link.Err, Refused: f.view.refused()}
	if s.Live {
		s.Confirmed = time.Now()
	}
	return s
}
