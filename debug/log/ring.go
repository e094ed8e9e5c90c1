package log

import (
	"github.com/rollcall-go/micro/internal/ring"
)

const (
	// backlog is how many records a stream begins with that were there before.
	backlog = 10
	// untaken is how many records wait for the reader of a stream. Further ones it
	// misses.
	untaken = 128
)

// ringLog is the Log of this package.
type ringLog struct{ buffer *ring.Buffer[Record] }

var _ Log = (*ringLog)(nil)

// NewLog returns a log that keeps the newest records in memory. Its streams begin with
// the ten newest; one whose reader is slow misses records, and holds nobody up. They have
// beside the methods of Stream
//
//	Missed() uint64
//
// which returns how many.
func NewLog(opts ...Option) Log {
	o := DefaultOptions()
	for _, opt := range opts {
		opt(&o)
	}
	if o.Size <= 0 {
		o.Size = DefaultSize
	}
	return &ringLog{ring.New[Record](o.Size)}
}

func (l *ringLog) Write(r Record) error {
	l.buffer.Put(r)
	return nil
}

func (l *ringLog) Read(opts ...ReadOption) ([]Record, error) {
	var o ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	var entries []ring.Entry[Record]
	switch {
	case !o.Since.IsZero():
		entries = l.buffer.Since(o.Since)
		if o.Count > 0 && o.Count < len(entries) {
			entries = entries[:o.Count]
		}
	case o.Count > 0:
		entries = l.buffer.Last(o.Count)
	default:
		entries = l.buffer.Last(-1)
	}
	records := make([]Record, 0, len(entries))
	for _, e := range entries {
		records = append(records, recordOf(e))
	}
	return records, nil
}

// recordOf returns the record of an entry. One that says no time has that at which it was
// written.
func recordOf(e ring.Entry[Record]) Record {
	if e.Value.Timestamp.IsZero() {
		e.Value.Timestamp = e.At
	}
	return e.Value
}
