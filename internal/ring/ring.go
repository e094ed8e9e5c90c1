// Package ring keeps the newest values of a kind, a bounded number of them, and hands
// new ones to whoever follows.
package ring

import (
	"sync"
	"sync/atomic"
	"time"
)

// Buffer holds the newest values. Its methods may be used from any goroutine, and none
// waits for a follower.
type Buffer[T any] struct {
	size int

	mu        sync.Mutex // guards what follows
	entries   []Entry[T] // in a circle once there are size of them
	oldest    int
	followers map[*Follower[T]]struct{}
}

// Entry is a value with the time at which it was put.
type Entry[T any] struct {
	At    time.Time
	Value T
}

// New returns an empty buffer for size values, at least one. It takes memory as it fills.
func New[T any](size int) *Buffer[T] { return &Buffer[T]{size: max(size, 1)} }

// Size returns how many values the buffer holds at most.
func (b *Buffer[T]) Size() int { return b.size }

// Put adds a value, in the place of the oldest if the buffer is full.
func (b *Buffer[T]) Put(v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := Entry[T]{time.Now(), v}
	if len(b.entries) < b.size {
		b.entries = append(b.entries, e)
	} else {
		b.entries[b.oldest] = e
		b.oldest = (b.oldest + 1) % b.size
	}
	for f := range b.followers {
		select {
		case f.c <- e:
		default:
			f.missed.Add(1)
		}
	}
}

// Last returns the newest n entries, the oldest of them first; all if n is negative or
// more than there are.
func (b *Buffer[T]) Last(n int) []Entry[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last(n)
}

func (b *Buffer[T]) last(n int) []Entry[T] {
	if n < 0 || n > len(b.entries) {
		n = len(b.entries)
	}
	out := make([]Entry[T], 0, n)
	for i := len(b.entries) - n; i < len(b.entries); i++ {
		out = append(out, b.entries[(b.oldest+i)%len(b.entries)])
	}
	return out
}

// Since returns the entries that were put after t, the oldest first.
func (b *Buffer[T]) Since(t time.Time) []Entry[T] {
	all := b.Last(-1)
	for i, e := range all {
		if e.At.After(t) {
			return all[i:]
		}
	}
	return nil
}

// Follower is handed the entries that are put from its making on.
type Follower[T any] struct {
	buffer *Buffer[T]
	c      chan Entry[T]
	missed atomic.Uint64
}

// Follow returns a follower that holds room entries which nobody has taken yet, and with
// them the newest n entries that were there before. Stop has to be called.
func (b *Buffer[T]) Follow(n, room int) *Follower[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.last(max(n, 0))
	f := &Follower[T]{buffer: b, c: make(chan Entry[T], len(before)+max(room, 1))}
	for _, e := range before {
		f.c <- e
	}
	if b.followers == nil {
		b.followers = map[*Follower[T]]struct{}{}
	}
	b.followers[f] = struct{}{}
	return f
}

// C delivers the entries. It is closed by Stop.
func (f *Follower[T]) C() <-chan Entry[T] { return f.c }

// Missed returns how many entries were put while there was no room for them.
func (f *Follower[T]) Missed() uint64 { return f.missed.Load() }

// Stop ends the deliveries. It may be called more than once.
func (f *Follower[T]) Stop() {
	f.buffer.mu.Lock()
	defer f.buffer.mu.Unlock()
	if _, following := f.buffer.followers[f]; following {
		delete(f.buffer.followers, f)
		close(f.c)
	}
}
