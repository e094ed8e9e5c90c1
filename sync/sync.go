// Package sync lets one of many processes do something at a time: by a lock, or as the
// leader. It has the name of Go's own package, as in go-micro v2; import it under another
// where both are needed.
//
// Whoever holds a lock may lose it, with the process still running: it was stopped for
// longer than the TTL, or cut off. So what has to be done by one alone must be checked where
// it is done. Use an implementation that is Fencing for that: it gives each holder a token,
// a number higher than those of all before. Whatever keeps the data refuses a token that is
// lower than one that it has seen:
//
//	held, err := s.(sync.Fencing).Acquire(ctx, "reports")
//	...
//	db.Exec("UPDATE report SET text = ?, token = ? WHERE id = ? AND token <= ?", text, held.Token(), id, held.Token())
//
// docs/SYNC.md says what each implementation promises.
package sync

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrLockTimeout is returned by Lock when the time of LockWait is over.
	ErrLockTimeout = errors.New("lock timeout")
	// ErrNotHeld is returned, wrapped, by Unlock of a lock that this Sync does not hold.
	ErrNotHeld = errors.New("lock not found")
	// ErrLost is returned, wrapped, by Held.Err, and by Unlock and Release, for a lock that
	// was lost before it was released.
	ErrLost = errors.New("the lock was lost")
	// ErrReleased is returned, wrapped, by Held.Err once the lock was released.
	ErrReleased = errors.New("the lock was released")
)

// Sync is where locks are. Its methods may be called by several goroutines at once, which
// exclude one another as processes do: a lock is not reentrant.
type Sync interface {
	// Init applies options.
	Init(...Option) error
	// Options returns the options in force.
	Options() Options
	// Leader waits until this process leads, and returns what it leads by: the lock of that
	// name, without a bound to the waiting.
	Leader(id string, opts ...LeaderOption) (Leader, error)
	// Lock waits for a lock: for as long as LockWait says, without a bound by default.
	Lock(id string, opts ...LockOption) error
	// Unlock releases a lock that Lock got last. It returns an error if it was lost before.
	Unlock(id string) error
	// String returns the name of the implementation.
	String() string
}

// Leader is what a process leads by. Those of a Fencing are Held too.
type Leader interface {
	// Resign ends it, so that another process can lead.
	Resign() error
	// Status returns a channel that gets true and is closed when it ends, by Resign too.
	// Each call returns another one.
	Status() chan bool
}

// Fencing is a Sync whose locks have tokens, and that can be waited for within a context. A
// Sync that can do it is found by assertion.
type Fencing interface {
	Sync
	// Acquire waits for a lock until ctx ends. Whoever leads holds the lock of that name.
	Acquire(ctx context.Context, id string, opts ...LockOption) (Held, error)
}

// Held is a lock that is held, as far as is known.
type Held interface {
	// Token returns a number above 0, higher than that of everybody who held it before.
	Token() int64
	// Lost is closed when it is held no more: it was lost, or released.
	Lost() <-chan struct{}
	// Err returns nil while it is held, and then why it is not. It looks at the clock: ask
	// it directly before what needs the lock.
	Err() error
	// Release gives it up. It returns an error if it was lost before, or if ctx ends before
	// others can have it; it then ends by itself.
	Release(ctx context.Context) error
}

// Options are the settings of a Sync.
type Options struct {
	// Nodes are the addresses of the servers that keep the locks.
	Nodes []string
	// Prefix goes before the name of every lock.
	Prefix string
	// Context holds options of one implementation.
	Context context.Context
}

// Option changes Options.
type Option func(o *Options)

// Nodes sets the addresses of the servers.
func Nodes(a ...string) Option { return func(o *Options) { o.Nodes = a } }

// Prefix sets what goes before the name of every lock.
func Prefix(p string) Option { return func(o *Options) { o.Prefix = p } }

// LeaderOptions are those of one Leader.
type LeaderOptions struct{}

// LeaderOption changes LeaderOptions.
type LeaderOption func(o *LeaderOptions)

// LockOptions are those of one Lock. Zero means the default of the implementation.
type LockOptions struct {
	// TTL is how long the lock outlives its holder.
	TTL time.Duration
	// Wait is how long to wait for the lock.
	Wait time.Duration
}

// LockOption changes LockOptions.
type LockOption func(o *LockOptions)

// LockTTL sets how long the lock outlives its holder.
func LockTTL(t time.Duration) LockOption { return func(o *LockOptions) { o.TTL = t } }

// LockWait sets how long to wait for the lock.
func LockWait(t time.Duration) LockOption { return func(o *LockOptions) { o.Wait = t } }
