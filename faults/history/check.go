package history

import (
	"fmt"
	"maps"
	"time"
)

// lookup is one read and its answer.
type lookup struct {
	name           string
	match          func(string) bool
	called, answer time.Time
	state          State
}

// Lookup adds a read of the keys that match, and its answer.
func (l *Log) Lookup(name string, match func(key string) bool, called, answered time.Time, state State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookups = append(l.lookups, lookup{name, match, called, answered, state})
}

// Findings are the outcome of a check.
type Findings struct {
	Violations []Violation
	// Lag is how long a view was out of date at most, time within disturbances not
	// counted.
	Lag time.Duration
	// Lookups and Events are how much was checked.
	Lookups, Events int
}

// Check judges everything that was told. until is when the observers were last
// known to be in force.
func (l *Log) Check(until time.Time, b Bounds) Findings {
	l.mu.Lock()
	defer l.mu.Unlock()
	var f Findings
	for _, v := range l.views {
		found, lag := v.check(l.visible(v.match), until, b.Lag)
		f.Violations = append(f.Violations, found...)
		f.Lag = max(f.Lag, lag)
		f.Events += len(v.seen)
	}
	for _, s := range l.streams {
		f.Violations = append(f.Violations, s.check(l.visible(s.match), b.Lag)...)
		f.Events += len(s.seen)
	}
	for _, r := range l.lookups {
		if why := r.check(l.points, b.Slack); why != "" {
			f.Violations = append(f.Violations, Violation{r.name, why})
		}
		f.Lookups++
	}
	return f
}

// check says what is wrong with the answer, nothing if it stood at some time of
// the read.
func (r lookup) check(points []point, slack time.Duration) string {
	var nearest State
	for i, p := range points {
		if p.at.After(r.answer.Add(slack)) {
			break
		}
		if i+1 < len(points) && points[i+1].at.Before(r.called) {
			continue // over before the call
		}
		nearest = filter(p.state, r.match)
		if maps.Equal(nearest, r.state) {
			return ""
		}
	}
	return fmt.Sprintf("what was read between %s and %s never stood then: %s",
		r.called.Format("05.000"), r.answer.Format("05.000"), differ(nearest, r.state))
}
