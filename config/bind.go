package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/logger"
)

// Bound is a part of a configuration as a T that follows it. Its methods may be called
// by several goroutines at once.
type Bound[T any] struct {
	config Config
	part   *part
	name   string // of its path
	value  atomic.Pointer[T]

	moving  sync.Mutex // held while another Watcher takes the place of watcher
	watcher Watcher
	done    chan struct{} // closed when nobody reads watcher any more
	closed  bool
	running sync.WaitGroup

	mu      sync.Mutex
	refused error // why the newest value is not in force
	ended   error // why no value is followed, nil while it is
	changed []func(before, now *T)
}

// Bind decodes the value at path, without a path the whole, into a T as encoding/json
// does, and keeps it up to date until Close, also if c gets another Loader or Reader by
// Init. While c is closed the T stays as it is.
//
// If *T has a method Defaults(), it fills a T before the value is decoded over it, and
// stays as it is where there is no value. If
// *T has a method Validate() error, it judges the T afterwards. A value that does not
// decode or is judged wrong is an error here, and later is refused: the T before stays,
// Err says why, and the log does once.
func Bind[T any](c Config, path ...string) (*Bound[T], error) {
	b := &Bound[T]{config: c, name: strings.Join(path, "/")}
	b.part = &part{path: slices.Clone(path), err: b.refusal, follow: b.follow}
	b.moving.Lock() // from watch on follow may be called
	defer b.moving.Unlock()
	w, now, err := watch(c, b.part)
	if err != nil {
		b.closed = true
		leave(c, b.part)
		return nil, fmt.Errorf("bind %q: %w", b.name, err)
	}
	first, err := decode[T](now)
	if err != nil {
		b.closed = true
		leave(c, b.part)
		_ = w.Stop() // the reason is err
		return nil, fmt.Errorf("bind %q: %w", b.name, err)
	}
	b.value.Store(first)
	settle(c, b.part)
	b.start(w, nil)
	return b, nil
}

// Get returns the T in force. It is shared: read it and do not change it. It costs no
// lock and no memory.
func (b *Bound[T]) Get() *T { return b.value.Load() }

// Err returns why the newest value of the configuration is not in force, nil if it is:
// because it was refused, or because the configuration is not followed any more.
func (b *Bound[T]) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return cmp.Or(b.ended, b.refused)
}

// refusal is Err for those who know themselves whether it is followed.
func (b *Bound[T]) refusal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}

// OnChange makes f be called with each T that takes the place of another one that
// differs from it. Calls come one at a time; f must not call Close.
func (b *Bound[T]) OnChange(f func(before, now *T)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = append(b.changed, f)
}

// Close ends the following and waits for a callback under way. The T in force stays.
func (b *Bound[T]) Close() error {
	b.moving.Lock()
	b.closed = true
	err := b.watcher.Stop()
	b.moving.Unlock()
	b.running.Wait()
	leave(b.config, b.part)
	return err
}

// follow follows what the configuration has now, where another Loader took the place of the
// one that was followed.
func (b *Bound[T]) follow() {
	b.moving.Lock()
	defer b.moving.Unlock()
	if b.closed {
		return
	}
	_ = b.watcher.Stop() // the Loader before may not be ours, and go on
	w, now, err := watch(b.config, b.part)
	if err != nil {
		b.end(err)
		return
	}
	b.start(w, now)
}

// start makes w what is followed, once what was followed before is done with, and first
// takes a value unless that is nil. b.moving is held.
func (b *Bound[T]) start(w Watcher, first reader.Value) {
	before, done := b.done, make(chan struct{})
	b.watcher, b.done = w, done
	b.running.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		b.end(nil)
		if first != nil {
			b.take(first)
			settle(b.config, b.part)
		}
		for {
			v, err := w.Next()
			if err != nil {
				b.over(w, err)
				return
			}
			b.take(v)
		}
	})
}

// over notes why w ended, unless it was ended here.
func (b *Bound[T]) over(w Watcher, err error) {
	b.moving.Lock()
	defer b.moving.Unlock()
	if !b.closed && b.watcher == w {
		b.end(err)
	}
}

// end notes why nothing is followed any more, nil if something is.
func (b *Bound[T]) end(err error) {
	if err != nil {
		err = fmt.Errorf("follow %q: %w", b.name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
}

// take makes v the value in force, unless it is refused.
func (b *Bound[T]) take(v reader.Value) {
	next, err := decode[T](v)
	b.note(err)
	if err != nil {
		return
	}
	before := b.value.Load()
	if reflect.DeepEqual(before, next) {
		return
	}
	b.value.Store(next)
	b.mu.Lock()
	changed := slices.Clip(b.changed)
	b.mu.Unlock()
	for _, f := range changed {
		f(before, next)
	}
}

// note remembers why a value was refused, and logs it if it is another reason.
func (b *Bound[T]) note(err error) {
	b.mu.Lock()
	before := b.refused
	b.refused = err
	b.mu.Unlock()
	if err != nil && (before == nil || before.Error() != err.Error()) {
		logger.Warnf("Config [bind] A value is refused and the one before it stays: %q: %v", b.name, err)
	}
}

func decode[T any](v reader.Value) (*T, error) {
	next := new(T)
	if d, ok := any(next).(interface{ Defaults() }); ok {
		d.Defaults()
	}
	// JSON's null would take from a map or a list what Defaults filled it with.
	if null := string(v.Bytes()) == "null" && v.String("") == ""; !null {
		if err := v.Scan(next); err != nil {
			return nil, err
		}
	}
	if judge, ok := any(next).(interface{ Validate() error }); ok {
		if err := judge.Validate(); err != nil {
			return nil, fmt.Errorf("judge what it says: %w", err)
		}
	}
	return next, nil
}
