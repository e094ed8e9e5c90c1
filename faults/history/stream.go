package history

import (
	"fmt"
	"time"
)

// Stream is an observer that is handed single events.
type Stream struct {
	log   *Log
	name  string
	match func(string) bool
	seen  []sighting
}

type sighting struct {
	at    time.Time
	event Event
}

// Stream adds an observer of the keys that match, of all if match is nil. It is
// handed what happens from now on.
func (l *Log) Stream(name string, match func(key string) bool) *Stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Stream{log: l, name: name, match: match}
	l.streams = append(l.streams, s)
	return s
}

// Observe says that the observer was handed an event.
func (s *Stream) Observe(at time.Time, e Event) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.seen = append(s.seen, sighting{at, e})
}

// Seen returns how many events were seen.
func (s *Stream) Seen() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return len(s.seen)
}

// Now returns the state that the events seen lead to.
func (s *Stream) Now() State {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.fold()
}

func (s *Stream) fold() State {
	state := State{}
	for _, seen := range s.seen {
		if seen.event.Deleted {
			delete(state, seen.event.Key)
		} else {
			state[seen.event.Key] = seen.event.Value
		}
	}
	return state
}

// check returns what is wrong with the stream.
func (s *Stream) check(points []point, lag time.Duration) (found []Violation) {
	report := func(format string, args ...any) {
		found = append(found, Violation{s.name, fmt.Sprintf(format, args...)})
	}
	type happened struct {
		event Event
		point int
	}
	past := make(map[string][]happened) // by key, what was not seen yet
	for i, p := range points {
		for _, e := range p.events {
			past[e.Key] = append(past[e.Key], happened{e, i})
		}
	}
	missed := func(h happened) {
		if p := points[h.point]; !s.excused(p.at, lag) {
			report("was not told of %v in revision %d", h.event, p.rev)
		}
	}
	at := 0 // the point of the last event seen
	for _, seen := range s.seen {
		key := seen.event.Key
		i := 0
		for i < len(past[key]) && past[key][i].event != seen.event {
			i++
		}
		if i == len(past[key]) {
			report("%v: never happened, or not after what was seen before", seen.event)
			continue
		}
		for _, h := range past[key][:i] {
			missed(h)
		}
		here := past[key][i].point
		if here < at && !s.excused(points[here].at, lag) && !s.excused(points[at].at, lag) {
			report("%v of revision %d came after revision %d", seen.event, points[here].rev, points[at].rev)
		}
		at = max(at, here)
		past[key] = past[key][i+1:]
	}
	for _, rest := range past {
		for _, h := range rest {
			missed(h)
		}
	}
	if end := points[len(points)-1].state; differ(end, s.fold()) != "" {
		report("in the end %s", differ(end, s.fold()))
	}
	return found
}

// excused tells whether an event of that time may be missing: it fell into a
// disturbance, or was on its way when one began, or came before the observer had
// to have recovered.
func (s *Stream) excused(at time.Time, lag time.Duration) bool {
	for _, d := range s.log.disturbed {
		if at.After(d.from.Add(-lag)) && at.Before(d.until.Add(d.bound)) {
			return true
		}
	}
	return false
}
