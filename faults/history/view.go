package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// View is an observer that is handed whole states.
type View struct {
	log   *Log
	name  string
	match func(string) bool
	seen  []snapshot
}

type snapshot struct {
	at    time.Time
	rev   int64
	gap   bool
	state State
}

// View adds an observer of the keys that match, of all if match is nil.
func (l *Log) View(name string, match func(key string) bool) *View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &View{log: l, name: name, match: match}
	l.views = append(l.views, v)
	return v
}

// Observe says that the observer was handed a state of that revision. A gap says
// that the history between it and the state before is unknown. The view keeps
// state.
func (v *View) Observe(at time.Time, rev int64, gap bool, state State) {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	v.seen = append(v.seen, snapshot{at, rev, gap, state})
}

// Now returns a copy of the state seen last, nil before the first.
func (v *View) Now() State {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	if len(v.seen) == 0 {
		return nil
	}
	return maps.Clone(v.seen[len(v.seen)-1].state)
}

// Seen returns how many states were seen.
func (v *View) Seen() int {
	v.log.mu.Lock()
	defer v.log.mu.Unlock()
	return len(v.seen)
}

// check returns what is wrong with the view, and its largest lag.
func (v *View) check(points []point, until time.Time, lag time.Duration) (found []Violation, worst time.Duration) {
	report := func(format string, args ...any) {
		found = append(found, Violation{v.name, fmt.Sprintf(format, args...)})
	}
	if len(v.seen) == 0 {
		report("saw nothing")
		return found, 0
	}
	at := 0
	for i, s := range v.seen {
		next, why := place(points, at, s)
		if why != "" {
			report("%s", why)
			continue
		}
		if i > 0 && !s.gap {
			from := at
			if v.log.disturbedBetween(v.seen[i-1].at, s.at) {
				from = reread(points, at, next)
			}
			if skipped := hidden(points[from:next]); skipped > 0 {
				report("without a gap the state of revision %d follows that of %d, although revision %d changed it",
					points[next].rev, points[from].rev, skipped)
			}
			if points[from].epoch != points[next].epoch {
				report("without a gap revision %d of a wiped store follows revision %d", points[next].rev, points[from].rev)
			}
		}
		at = next
	}
	for i, s := range v.seen {
		end := until
		if i+1 < len(v.seen) {
			end = v.seen[i+1].at
		}
		late, bound := v.lateness(points, s, end, lag)
		worst = max(worst, late)
		if late > bound {
			report("the state of revision %d was out of date for %v, more than %v, at %s: %s",
				s.rev, late, bound, end.Format("05.000"), differ(stateAt(points, end), s.state))
		}
	}
	return found, worst
}

// place returns the point whose state s is, at or after point at.
func place(points []point, at int, s snapshot) (int, string) {
	candidate := -1
	for i := len(points) - 1; i >= 0 && points[i].epoch >= points[at].epoch; i-- {
		p := points[i]
		if start := points[i-p.rank]; start.at.After(s.at) {
			continue // the store was not wiped yet
		}
		last := i+1 == len(points) || points[i+1].epoch != p.epoch || points[i+1].rev > s.rev
		if p.rev > s.rev || !last {
			continue
		}
		if candidate < 0 {
			candidate = i
		}
		if maps.Equal(p.state, s.state) {
			if i < at {
				return 0, fmt.Sprintf("went back from revision %d to %d", points[at].rev, s.rev)
			}
			return i, ""
		}
	}
	if candidate < 0 {
		return 0, fmt.Sprintf("saw revision %d, which never was", s.rev)
	}
	return 0, fmt.Sprintf("the state of revision %d is not the fold of the history: %s", s.rev, differ(points[candidate].state, s.state))
}

// reread returns the last point before next with the state of point at. An
// observer that was cut off reads the store again and, if nothing differs, has
// nothing to say about it.
func reread(points []point, at, next int) int {
	for i := next - 1; i > at; i-- {
		if maps.Equal(points[i].state, points[at].state) {
			return i
		}
	}
	return at
}

// hidden returns the first revision after the first point that changed the state,
// 0 if none did.
func hidden(between []point) int64 {
	for i := 1; i < len(between); i++ {
		if !maps.Equal(between[i].state, between[0].state) {
			return between[i].rev
		}
	}
	return 0
}

// lateness returns for how long s had been out of date when it was replaced, and
// the bound for it. Time within disturbances does not count.
func (v *View) lateness(points []point, s snapshot, end time.Time, lag time.Duration) (late, bound time.Duration) {
	var valid time.Time // when it was last right
	for i, p := range points {
		if p.at.After(end) {
			break
		}
		if !maps.Equal(p.state, s.state) {
			continue
		}
		valid = end
		if i+1 < len(points) && points[i+1].at.Before(end) {
			valid = points[i+1].at
		}
	}
	bound = lag
	if valid.IsZero() {
		return 0, bound // seen before the recorder heard of it, or never right
	}
	for _, d := range v.log.disturbed {
		if d.from.Before(end) && d.until.After(valid) || d.until.Equal(valid) {
			valid = d.until
			bound = max(bound, d.bound)
		}
	}
	return max(0, end.Sub(valid)), bound
}

func stateAt(points []point, at time.Time) State {
	var state State
	for _, p := range points {
		if p.at.After(at) {
			break
		}
		state = p.state
	}
	return state
}

// differ says in what two states differ.
func differ(want, got State) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[key]; !ok {
			out = append(out, fmt.Sprintf("%s is missing", key))
		} else if value != want[key] {
			out = append(out, fmt.Sprintf("%s is %s instead of %s", key, value, want[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			out = append(out, fmt.Sprintf("%s is still there", key))
		}
	}
	if len(out) > 5 {
		out = append(out[:5], fmt.Sprintf("and %d more", len(out)-5))
	}
	return strings.Join(out, ", ")
}
