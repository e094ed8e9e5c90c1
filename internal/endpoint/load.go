package endpoint

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Load is how busy a node is with the calls of one client, and how it has answered
// of late. Whoever makes calls writes it, whoever chooses nodes reads it. It takes
// no lock and allocates nothing; its methods are safe for concurrent use. The zero
// value counts calls, and takes the time of none.
type Load struct {
	clock    *Clock
	calls    atomic.Uint64 // begun ever in the upper half, under way in the lower
	latency  atomic.Int64  // moving average in nanoseconds; zero before the first
	sampled  atomic.Int64  // when that last changed, by clock
	failures atomic.Int32  // breaks of the connection under calls since the last answer
	barred   atomic.Int64  // until when the node is ejected, by clock; zero: it is not
}

// Measure makes l take the time of calls. It is called once, before the first call.
func (l *Load) Measure(c *Clock) { l.clock = c }

const (
	// sampleEvery is of how many calls to a node one has its time taken: two readings
	// of the clock for each call would cost more than the choice of a node.
	sampleEvery = 8
	// coolDown is the time without a sample in which what is known of a node's latency
	// comes to count half as much, so that a node which was slow is tried again.
	coolDown = 5 * time.Second

	begun    = 1 << 32
	underway = begun - 1
)

// Span is one call under way.
type Span struct {
	load *Load
	at   time.Duration // zero: its time is not taken
}

// Begin counts a call in, until End of what it returns is called.
func (l *Load) Begin() Span {
	s := Span{load: l}
	if n := l.calls.Add(begun + 1); (n/begun)%sampleEvery == 1 && l.clock != nil {
		s.at = l.clock.Read()
	}
	return s
}

// End counts the call out that ended with err. Only an answer without an error can
// lower the node's latency: one that refuses everything is quick.
func (s Span) End(err error) {
	l := s.load
	l.Leave()
	if err == nil || answer(err) {
		l.Answered()
	}
	if s.at == 0 {
		return
	}
	now := l.clock.Read()
	taken, known := now-s.at, l.Latency(now)
	switch code := status.Code(err); {
	case err == nil, taken > known && known > 0 && code != codes.Unavailable, code == codes.DeadlineExceeded && known == 0:
		l.Sample(taken, now)
	default:
		// What is known is not forgotten while the node is called and refuses: forgotten
		// by halves, it would look quick and get the calls of all others.
		l.latency.Store(int64(known))
		l.sampled.Store(int64(now))
	}
}

// answer reports whether err is what a server said, as far as that can be told.
func answer(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return false
	}
	return true
}

// Enter counts a stream in, whose time says nothing, until Leave is called.
func (l *Load) Enter() { l.calls.Add(begun + 1) }

// Leave counts a stream out.
func (l *Load) Leave() { l.calls.Add(^uint64(0)) }

// InFlight returns how many calls and streams are under way.
func (l *Load) InFlight() int { return int(l.calls.Load() & underway) }

// Begun returns how many calls and streams have begun, modulo 2^32.
func (l *Load) Begun() uint32 { return uint32(l.calls.Load() / begun) }

// Sample takes in how long a call took that ended at now. An average that rises does
// so quickly, and one that falls slowly.
func (l *Load) Sample(taken, now time.Duration) {
	old := l.Latency(now)
	next := old + (taken-old)/8
	switch {
	case old == 0:
		next = taken
	case taken > old:
		next = old + (taken-old)/2
	}
	l.latency.Store(int64(max(next, 1)))
	l.sampled.Store(int64(now))
}

// Latency returns how long calls take on average as of now, zero if nothing is known.
// What was learnt is halved with each five seconds since.
func (l *Load) Latency(now time.Duration) time.Duration {
	latency := l.latency.Load()
	age := now - time.Duration(l.sampled.Load())
	if latency == 0 || age < coolDown {
		return time.Duration(latency)
	}
	return time.Duration(latency >> min(age/coolDown, 62))
}

// Now is the time as anybody last read it, which costs nothing. It lags behind by at most
// sampleEvery calls to each node of the client. It is zero where the time of calls is not
// taken.
func (l *Load) Now() time.Duration {
	if l.clock == nil {
		return 0
	}
	return l.clock.Last()
}

// Clock is a time that one may look at without reading the machine's clock: whoever
// does read it leaves what it was for the others. Its methods are safe for concurrent
// use.
type Clock struct {
	start time.Time
	last  atomic.Int64
}

// NewClock returns a clock that begins now, at something above zero.
func NewClock() *Clock { return &Clock{start: time.Now().Add(-time.Nanosecond)} }

// Read reads the time since the clock began.
func (c *Clock) Read() time.Duration {
	now := time.Since(c.start)
	c.last.Store(int64(now))
	return now
}

// Last returns what was last read.
func (c *Clock) Last() time.Duration { return time.Duration(c.last.Load()) }
