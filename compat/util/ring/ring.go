// Package ring has what go-micro v2's util/ring has: a buffer that keeps the last values.
// It is frozen.
package ring

import (
	"strconv"
	"sync"
	"time"
)

// streamLength is how many entries a stream holds that were not received yet.
const streamLength = 128

// Buffer keeps the last values that were put into it. It is safe for concurrent use; its
// lock is that of v2's.
type Buffer struct {
	size int

	sync.RWMutex
	entries []*Entry
	streams map[string]*Stream
	opened  uint64
}

// Entry is a value and when it was put.
type Entry struct {
	Value     any
	Timestamp time.Time
}

// Stream hears of the entries that are put.
type Stream struct {
	Id string
	// Entries has the entries. It is closed at the first Put after Stop was.
	Entries chan *Entry
	// Stop is closed by who receives.
	Stop chan bool
}

// New returns a buffer that keeps size values.
func New(size int) *Buffer { return &Buffer{size: size, streams: make(map[string]*Stream)} }

// Size returns how many values the buffer keeps.
func (b *Buffer) Size() int { return b.size }

// Put puts a value in place of the oldest. What a stream has no room for is not sent to
// it: who puts waits for nobody.
func (b *Buffer) Put(v any) {
	b.Lock()
	defer b.Unlock()
	entry := &Entry{Value: v, Timestamp: time.Now()}
	b.entries = append(b.entries, entry)
	if len(b.entries) > b.size {
		b.entries = b.entries[1:]
	}
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
func (b *Buffer) Get(n int) []*Entry {
	b.RLock()
	defer b.RUnlock()
	if n < 0 || n > len(b.entries) {
		n = len(b.entries)
	}
	return b.entries[len(b.entries)-n:]
}

// Since returns the entries later than t, oldest first; all of them if t is zero.
func (b *Buffer) Since(t time.Time) []*Entry {
	b.RLock()
	defer b.RUnlock()
	for i, e := range b.entries {
		if t.IsZero() || e.Timestamp.After(t) {
			return b.entries[i:]
		}
	}
	return nil
}

// Stream returns the entries that are put from now on, until the second channel is
// closed.
func (b *Buffer) Stream() (<-chan *Entry, chan bool) {
	b.Lock()
	defer b.Unlock()
	b.opened++
	s := &Stream{Id: strconv.FormatUint(b.opened, 10), Entries: make(chan *Entry, streamLength), Stop: make(chan bool)}
	b.streams[s.Id] = s
	return s.Entries, s.Stop
}
