package log

import (
	"sync"

	"github.com/rollcall-go/micro/internal/ring"
)

// stream is the Stream of a ringLog.
//
// Goroutines: one, from Stream to Stop.
type stream struct {
	follower *ring.Follower[Record]
	records  chan Record
	stop     func() // stops once, and waits
}

var _ Stream = (*stream)(nil)

func (l *ringLog) Stream() (Stream, error) {
	s := &stream{follower: l.buffer.Follow(backlog, untaken), records: make(chan Record)}
	stopC, done := make(chan struct{}), make(chan struct{})
	s.stop = sync.OnceFunc(func() {
		close(stopC)
		s.follower.Stop()
		<-done
	})
	go func() {
		defer close(done)
		defer close(s.records)
		for e := range s.follower.C() {
			select {
			case s.records <- recordOf(e):
			case <-stopC:
				return
			}
		}
	}()
	return s, nil
}

func (s *stream) Chan() <-chan Record { return s.records }

// Missed returns how many records the reader was too slow for.
func (s *stream) Missed() uint64 { return s.follower.Missed() }

func (s *stream) Stop() error {
	s.stop()
	return nil
}
