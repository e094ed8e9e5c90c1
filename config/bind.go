package config

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/logger"
)

// Bound is a part of a configuration as a T that follows it. Its methods may be called
// by several goroutines at once.
type Bound[T any] struct {
	value   atomic.Pointer[T]
	watcher Watcher
	name    string
	leave   func() // ends that others wait for its judgement
	running sync.WaitGroup

	mu      sync.Mutex
	refused error
	changed []func(before, now *T)
}

// Bind decodes the value at path, without a path the whole, into a T as encoding/json
// does, and keeps it up to date until Close.
//
// If *T has a method Defaults(), it fills a T before the value is decoded over it, and
// stays as it is where there is no value. If
// *T has a method Validate() error, it judges the T afterwards. A value that does not
// decode or is judged wrong is an error here, and later is refused: the T before stays,
// Err says why, and the log does once.
func Bind[T any](c Config, path ...string) (*Bound[T], error) {
	b := &Bound[T]{name: strings.Join(path, "/")}
	w, err := c.Watch(path...)
	if err != nil {
		return nil, fmt.Errorf("bind %q: %w", b.name, err)
	}
	first, err := decode[T](c.Get(path...))
	if err != nil {
		_ = w.Stop() // the reason is err
		return nil, fmt.Errorf("bind %q: %w", b.name, err)
	}
	b.value.Store(first)
	b.watcher = w
	b.leave = join(c, w, path, b.Err)
	b.running.Go(b.follow)
	return b, nil
}

// Get returns the T in force. It is shared: read it and do not change it. It costs no
// lock and no memory.
func (b *Bound[T]) Get() *T { return b.value.Load() }

// Err returns why the newest value of the configuration is not in force, nil if it is.
func (b *Bound[T]) Err() error {
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
	err := b.watcher.Stop()
	b.running.Wait()
	b.leave()
	return err
}

func (b *Bound[T]) follow() {
	for {
		v, err := b.watcher.Next()
		if err != nil {
			return // stopped, or the configuration is closed
		}
		next, err := decode[T](v)
		b.note(err)
		if err != nil {
			continue
		}
		before := b.value.Load()
		if reflect.DeepEqual(before, next) {
			continue
		}
		b.value.Store(next)
		b.mu.Lock()
		changed := b.changed[:len(b.changed):len(b.changed)]
		b.mu.Unlock()
		for _, f := range changed {
			f(before, next)
		}
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
