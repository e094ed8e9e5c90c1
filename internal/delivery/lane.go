// Package delivery brings messages to those who are to have them, for every broker of
// the house: a bounded queue for each subscription, handlers whose panics are recovered,
// acknowledgement, and an end that finishes what was taken.
package delivery

import (
	"context"
	"fmt"
	"sync"

	"github.com/rollcall-go/micro/broker"
)

// Limits bound a Lane.
type Limits struct {
	Workers  int // that run at once, at least one
	Messages int // that wait, at least one
	Bytes    int // of those that wait; one message may go beyond
}

// Lane is a bounded queue of messages with the workers that take them out, in order. A
// worker's goroutine ends when nothing waits. A Lane is safe for concurrent use.
type Lane[T any] struct {
	limits Limits
	work   func(T)
	size   func(T) int

	mu      sync.Mutex // guards what follows
	waiting []T
	bytes   int
	running int // workers
	closed  bool
	// behind says that somebody waited for room in vain, and there was none since:
	// nobody else waits for it.
	behind bool
	asking []chan struct{} // those who wait for room, the first at the front
	idle   chan struct{}   // closed when closed and nothing waits or runs
}

// NewLane returns a lane whose workers call work with each message. size returns how many
// bytes one takes. Close ends it.
func NewLane[T any](limits Limits, work func(T), size func(T) int) *Lane[T] {
	return &Lane[T]{limits: limits, work: work, size: size, idle: make(chan struct{})}
}

// Put adds a message. If the lane is full, it waits for room until ctx is done, and then
// returns an error that wraps broker.ErrFull; a lane that let somebody wait in vain makes
// nobody else wait until it has room again. A closed lane returns broker.ErrNotConnected.
func (l *Lane[T]) Put(ctx context.Context, item T) error {
	for {
		room, err := l.put(item)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return l.giveUp(room, ctx.Err())
		}
	}
}

// TryPut is Put that does not wait.
func (l *Lane[T]) TryPut(item T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.full() || len(l.asking) > 0 {
		return false
	}
	l.add(item)
	return true
}

// put adds the message, or returns a channel that is closed when there may be room.
func (l *Lane[T]) put(item T) (room chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, fmt.Errorf("the subscription has ended: %w", broker.ErrNotConnected)
	case !l.full():
		l.add(item)
		return nil, nil
	case l.behind:
		return nil, l.fullError()
	}
	room = make(chan struct{})
	l.asking = append(l.asking, room)
	return room, nil
}

// giveUp takes back a wait for room that ended for err.
func (l *Lane[T]) giveUp(room chan struct{}, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range l.asking {
		if r == room {
			l.asking = append(l.asking[:i], l.asking[i+1:]...)
			l.behind = l.full()
			return fmt.Errorf("%w: %w", l.fullError(), err)
		}
	}
	l.wake() // the room was ours: it is the next one's
	return fmt.Errorf("%w: %w", l.fullError(), err)
}

func (l *Lane[T]) fullError() error {
	return fmt.Errorf("%w: %d of %d bytes in all", broker.ErrFull, len(l.waiting), l.bytes)
}

func (l *Lane[T]) full() bool {
	return len(l.waiting) >= l.limits.Messages || l.bytes >= l.limits.Bytes
}

func (l *Lane[T]) add(item T) {
	l.waiting = append(l.waiting, item)
	l.bytes += l.size(item)
	if l.running < max(l.limits.Workers, 1) {
		l.running++
		go l.run()
	}
}

// wake tells the first who waits for room that there is some.
func (l *Lane[T]) wake() {
	if len(l.asking) > 0 && !l.full() {
		close(l.asking[0])
		l.asking = l.asking[1:]
	}
}

// run is a worker: it works until nothing waits. Work that ends its goroutine, as the
// FailNow of a test does, is followed by another one.
func (l *Lane[T]) run() {
	ended := false
	defer func() {
		if !ended {
			go l.run()
		}
	}()
	for {
		item, ok := l.take()
		if !ok {
			ended = true
			return
		}
		l.work(item)
	}
}

// take returns what waits longest. It reports false, and that the worker ends, if
// nothing waits.
func (l *Lane[T]) take() (item T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.waiting = nil // and the memory of busier times
		l.running--
		l.rest()
		return item, false
	}
	var none T
	item, l.waiting[0] = l.waiting[0], none
	l.waiting = l.waiting[1:]
	l.bytes -= l.size(item)
	l.behind = false
	l.wake()
	return item, true
}

// rest notes the end of a lane that has nothing left to do.
func (l *Lane[T]) rest() {
	if l.closed && l.running == 0 {
		select {
		case <-l.idle:
		default:
			close(l.idle)
		}
	}
}

// Close makes the lane take no more; what it has taken is still worked on.
func (l *Lane[T]) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, room := range l.asking {
		close(room)
	}
	l.asking = nil
	l.rest()
}

// Done is closed when the lane is closed and all that it took has been worked on.
func (l *Lane[T]) Done() <-chan struct{} { return l.idle }

// Discard returns what waits, and takes it out.
func (l *Lane[T]) Discard() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.waiting
	l.waiting, l.bytes, l.behind = nil, 0, false
	for _, room := range l.asking {
		close(room)
	}
	l.asking = nil
	return left
}

// Load returns how many messages wait and how many are worked on.
func (l *Lane[T]) Load() (waiting, running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting), l.running
}
