// Package history decides whether what observers saw of a store's keys is what
// the store's own history allows. It knows no store: the history is told to a
// Log by an independent recorder, in revisions, each with all its events; the
// observers tell what they saw and when.
//
// Three kinds of observers are checked. A View is handed whole states with their
// revisions: each must be the fold of the history up to that revision, in order,
// with no visible revision left out unless a gap was admitted, and none may be
// out of date for longer than the bound. A Stream is handed single events without
// revisions: per key they must be a subsequence of the history, and complete while
// nothing was disturbed. A Lookup is one read: it must return a state that stood
// at some time between its call and its return.
package history

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// State is the content of all keys. An absent key is not in it.
type State map[string]string

// Event is what happened to one key in one revision.
type Event struct {
	Key, Value string
	Deleted    bool
}

func (e Event) String() string {
	if e.Deleted {
		return fmt.Sprintf("delete of %s", e.Key)
	}
	return fmt.Sprintf("%s = %s", e.Key, e.Value)
}

// Violation is one finding: who saw what that could not be.
type Violation struct {
	Observer string
	What     string
}

func (v Violation) String() string { return v.Observer + ": " + v.What }

// Bounds say how far observers may lag.
type Bounds struct {
	// Lag is how long a View may be out of date while nothing is disturbed, and a
	// Stream incomplete.
	Lag time.Duration
	// Slack is how much later than a read the recorder may have learnt of a
	// revision that the read saw already.
	Slack time.Duration
}

// Log collects a history and what observers saw of it. The methods that add to it
// may be called by several goroutines at once; check when all is told.
type Log struct {
	mu        sync.Mutex
	points    []point
	disturbed []disturbance
	views     []*View
	streams   []*Stream
	lookups   []lookup
}

// point is the state of the store after one revision.
type point struct {
	epoch  int
	rank   int // since the epoch began
	rev    int64
	at     time.Time
	events []Event
	state  State
}

// disturbance is a time in which observers are excused, and for bound after it.
type disturbance struct {
	from, until time.Time
	bound       time.Duration
}

// NewLog returns a log that begins now with an empty store.
func NewLog(now time.Time) *Log {
	return &Log{points: []point{{at: now, state: State{}}}}
}

// Commit adds a revision of the store, which the recorder learnt of at that time.
// Revisions come in order and are complete. The delete of a key that is not there
// is no event.
func (l *Log) Commit(rev int64, at time.Time, events ...Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.points[len(l.points)-1]
	state := maps.Clone(last.state)
	var real []Event
	for _, e := range events {
		_, there := state[e.Key]
		switch {
		case !e.Deleted:
			state[e.Key] = e.Value
		case there:
			delete(state, e.Key)
		default:
			continue
		}
		real = append(real, e)
	}
	l.points = append(l.points, point{epoch: last.epoch, rank: last.rank + 1, rev: rev, at: at, events: real, state: state})
}

// Wiped says that the store lost everything, history and revisions included.
func (l *Log) Wiped(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.points[len(l.points)-1]
	var events []Event
	for key := range last.state {
		events = append(events, Event{Key: key, Deleted: true})
	}
	l.points = append(l.points, point{epoch: last.epoch + 1, at: at, events: events, state: State{}})
}

// Disturbed says that observers were cut off from the store in between, and that
// they have to have recovered bound after.
func (l *Log) Disturbed(from, until time.Time, bound time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disturbed = append(l.disturbed, disturbance{from, until, bound})
}

// disturbedBetween tells whether a disturbance touches that time. The caller
// holds the lock.
func (l *Log) disturbedBetween(from, until time.Time) bool {
	for _, d := range l.disturbed {
		if d.from.Before(until) && d.until.Add(d.bound).After(from) {
			return true
		}
	}
	return false
}

// Size returns how many revisions were committed.
func (l *Log) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.points) - 1
}

// State returns a copy of the state of the keys that match now.
func (l *Log) State(match func(key string) bool) State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return filter(l.points[len(l.points)-1].state, match)
}

func filter(s State, match func(string) bool) State {
	out := make(State)
	for key, value := range s {
		if match == nil || match(key) {
			out[key] = value
		}
	}
	return out
}

// visible returns the history of the keys that match: the states of all points,
// and the events that are about them.
func (l *Log) visible(match func(string) bool) []point {
	out := make([]point, len(l.points))
	for i, p := range l.points {
		out[i] = p
		out[i].state = filter(p.state, match)
		out[i].events = nil
		for _, e := range p.events {
			if match == nil || match(e.Key) {
				out[i].events = append(out[i].events, e)
			}
		}
	}
	return out
}
