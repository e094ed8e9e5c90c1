// Package stats counts what a process serves and measures what it takes.
//
// Servers count their requests in DefaultStats, all those of a process together:
//
//	all, err := stats.DefaultStats.Read()
//	now := all[len(all)-1]
//	fmt.Println(now.Requests, now.Errors)
package stats

// Stats counts requests. Its methods may be used from any goroutine.
type Stats interface {
	// Read returns the stats that were written, the oldest first, and last those of the
	// moment.
	Read() ([]*Stat, error)
	// Write adds stats to those that Read returns.
	Write(*Stat) error
	// Record counts a request that has been served, and its error, if that is not nil.
	Record(error) error
}

// Stat is the state of a process at one moment.
type Stat struct {
	// Timestamp is the moment, in seconds since 1970.
	Timestamp int64
	// Started is when counting began, in seconds since 1970.
	Started int64
	// Uptime is the time since then, in seconds.
	Uptime int64
	// Memory is the heap in use, in bytes.
	Memory uint64
	// Threads is the number of goroutines.
	Threads uint64
	// GC is how long garbage collection has held the program up, in nanoseconds.
	GC uint64
	// Requests is how many requests were served.
	Requests uint64
	// Errors is how many of them ended in an error.
	Errors uint64
}

// DefaultStats are the stats that servers count in. They belong to the program; replace
// them before a server is made.
var DefaultStats = NewStats()
