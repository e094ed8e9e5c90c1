package stats

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/ring"
)

// kept is how many written stats are kept.
const kept = 60

// heapMetric is what runtime.MemStats calls Alloc, which nobody has to be stopped for.
const heapMetric = "/memory/classes/heap/objects:bytes"

// counters are the Stats of this package.
type counters struct {
	started  int64
	requests atomic.Uint64
	errors   atomic.Uint64
	written  *ring.Buffer[*Stat]
}

var _ Stats = (*counters)(nil)

// NewStats returns stats that count from now on. The newest 60 that are written are kept.
func NewStats() Stats {
	return &counters{started: time.Now().Unix(), written: ring.New[*Stat](kept)}
}

// Record takes no lock and allocates nothing.
func (c *counters) Record(err error) error {
	c.requests.Add(1)
	if err != nil {
		c.errors.Add(1)
	}
	return nil
}

func (c *counters) Write(s *Stat) error {
	c.written.Put(s)
	return nil
}

func (c *counters) Read() ([]*Stat, error) {
	var all []*Stat
	for _, e := range c.written.Last(-1) {
		all = append(all, e.Value)
	}
	return append(all, c.now()), nil
}

// now returns the stats of the moment. It does not stop the program, as
// runtime.ReadMemStats would: anybody may ask.
func (c *counters) now() *Stat {
	heap := []metrics.Sample{{Name: heapMetric}}
	metrics.Read(heap)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	now := time.Now().Unix()
	s := &Stat{
		Timestamp: now,
		Started:   c.started,
		Uptime:    now - c.started,
		Threads:   uint64(runtime.NumGoroutine()),
		GC:        uint64(gc.PauseTotal),
		Errors:    c.errors.Load(),
	}
	s.Requests = c.requests.Load() // after the errors, which are never more
	if heap[0].Value.Kind() == metrics.KindUint64 {
		s.Memory = heap[0].Value.Uint64()
	}
	return s
}
