package bridge

import (
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
)

// inbox holds what has happened until the machine is told. Putting something in
// never waits.
type inbox struct {
	ready chan struct{} // holds a token when there may be something

	mu    sync.Mutex
	tells []func(now time.Time)
}

func (in *inbox) put(tell func(now time.Time)) {
	in.mu.Lock()
	in.tells = append(in.tells, tell)
	in.mu.Unlock()
	select {
	case in.ready <- struct{}{}:
	default:
	}
}

// take tells everything that has been put in.
func (in *inbox) take(now time.Time) {
	in.mu.Lock()
	tells := in.tells
	in.tells = nil
	in.mu.Unlock()
	for _, tell := range tells {
		tell(now)
	}
}

// sink hands what a source supplies to the machine. Of several views that have not
// been taken in yet the last one counts, with the departures of all.
type sink struct {
	b    *run
	view *view
	name string

	mu      sync.Mutex
	waiting *feed.Update
}

var _ feed.Sink = (*sink)(nil)

// Update takes a view in.
func (s *sink) Update(u feed.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.waiting; before != nil {
		u.Gap = u.Gap || before.Gap
		u.Departed = append(before.Departed[:len(before.Departed):len(before.Departed)], u.Departed...)
		s.waiting = &u
		return
	}
	s.waiting = &u
	s.b.news.put(func(now time.Time) {
		s.mu.Lock()
		last := s.waiting
		s.waiting = nil
		s.mu.Unlock()
		s.b.m.update(now, s.view, s.name, *last)
	})
}

// Status takes in how well the source is connected.
func (s *sink) Status(st feed.Status) {
	s.b.news.put(func(now time.Time) { s.b.m.status(now, s.view, s.name, st) })
}
