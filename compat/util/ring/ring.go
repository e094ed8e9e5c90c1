// Package ring has what go-micro v2's util/ring has: a buffer that keeps the last values.
// It is frozen.
package ring

import (
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ring"
)

// untaken is how many entries wait for who receives from a stream.
const untaken = 128

// Buffer keeps the last values that were put into it. It is safe for concurrent use.
type Buffer struct {
	kept *ring.Buffer[any]

	mu      sync.Mutex // guards what follows
	streams map[string]*Stream
	opened  uint64
}

// Entry is a value and when it was put.
type Entry struct {
	Value     any
	Timestamp time.Time
}

// Stream is handed the entries that are put.
type Stream struct {
	Id string
	// Entries has the entries. It is closed by the first Put after Stop was closed.
	Entries chan *Entry
	// Stop is closed by who receives.
	Stop chan bool
}

// New returns a buffer that keeps size values, at least one.
func New(size int) *Buffer {
	return &Buffer{kept: ring.New[any](size), streams: make(map[string]*Stream)}
}

// Size returns how many values the buffer keeps.
func (b *Buffer) Size() int { return b.kept.Size() }

// Put puts a value in place of the oldest. It waits for nobody: a stream misses what it
// has no room for.
func (b *Buffer) Put(v any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept.Put(v)
	entry := entries(b.kept.Last(1))[0]
	for id, s := range b.streams {
		select {
		case <-s.Stop:
			delete(b.streams, id)
			close(s.Entries)
			continue
		default:
		}
		select {
		case s.Entries <- entry:
		default:
		}
	}
}

// Get returns the last n entries, oldest first; all of them if n is below zero.
func (b *Buffer) Get(n int) []*Entry { return entries(b.kept.Last(n)) }

// Since returns the entries that were put after t, oldest first; all of them if t is zero.
func (b *Buffer) Since(t time.Time) []*Entry { return entries(b.kept.Since(t)) }

// Stream returns the entries that are put from now on, until the second channel is
// closed.
func (b *Buffer) Stream() (<-chan *Entry, chan bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
	s := &Stream{Id: strconv.FormatUint(b.opened, 10), Entries: make(chan *Entry, untaken), Stop: make(chan bool)}
	b.streams[s.Id] = s
	return s.Entries, s.Stop
}

func entries(of []ring.Entry[any]) []*Entry {
	all := make([]*Entry, len(of))
	for i, e := range of {
		all[i] = &Entry{Value: e.Value, Timestamp: e.At}
	}
	return all
}
