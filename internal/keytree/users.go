package keytree

import (
	"sync"

	"github.com/rollcall-go/micro/config/source"
)

// Session follows a store while somebody uses a source.
type Session interface {
	Board() *Board
	// End ends the session and waits until it has ended.
	End()
	// Status says how far what the board shows can be trusted.
	Status() source.Status
}

// Users has a Session while somebody watches or reads a source, and nothing otherwise.
type Users[S Session] struct {
	start func() (S, error)

	mu      sync.Mutex
	count   int
	session S
	last    source.Status // of the session before
}

// NewUsers returns Users whose first one starts a session.
func NewUsers[S Session](start func() (S, error)) *Users[S] { return &Users[S]{start: start} }

// Enter returns the session, and starts one for the first user. Whoever entered leaves.
func (u *Users[S]) Enter() (S, error) {
	session, _, err := u.enter()
	return session, err
}

// enter is Enter, and reports whether it started the session.
func (u *Users[S]) enter() (session S, started bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == 0 {
		if session, err = u.start(); err != nil {
			return session, false, err
		}
		u.session, started = session, true
	}
	u.count++
	return u.session, started, nil
}

// Leave ends the session with its last user, and waits until it has ended.
func (u *Users[S]) Leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count--; u.count > 0 {
		return
	}
	u.session.End()
	u.last = u.session.Status()
	u.last.Live = false
}

// Used reports whether there is a session.
func (u *Users[S]) Used() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count > 0
}

// Status returns that of the session, or of the last one there was.
func (u *Users[S]) Status() source.Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count > 0 {
		return u.session.Status()
	}
	return u.last
}

// Watch returns a Watcher of the session, whose first Next returns the state that comes
// after the present one: the first there is, if the session begins with it. Stop waits for the end of the session if this was its last
// user.
func (u *Users[S]) Watch() (source.Watcher, error) {
	session, started, err := u.enter()
	if err != nil {
		return nil, err
	}
	w := &watcher{board: session.Board(), leave: u.Leave, stopped: make(chan struct{})}
	if !started { // what a session that was started here has found since then is news
		w.seen, _ = w.board.State()
	}
	return w, nil
}

type watcher struct {
	board   *Board
	leave   func()
	stopped chan struct{}
	once    sync.Once

	seen uint64 // the state that Next told; used by Next alone
}

func (w *watcher) Next() (*source.ChangeSet, error) {
	for {
		select {
		case <-w.stopped:
			return nil, source.ErrWatcherStopped
		default:
		}
		state, changed := w.board.State()
		if state != w.seen {
			w.seen = state
			return w.board.ChangeSet()
		}
		select {
		case <-w.stopped:
		case <-changed:
		}
	}
}

func (w *watcher) Stop() error {
	w.once.Do(func() {
		close(w.stopped)
		w.leave()
	})
	return nil
}

// Locate returns the key of the store that gives the value at a path, as the session
// knows it.
func (u *Users[S]) Locate(path ...string) (key string, revision int64, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count > 0 {
		u.session.Board().Look(func(v *View) { key, revision, ok = v.Locate(path) })
	}
	return key, revision, ok
}
