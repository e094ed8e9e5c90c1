package history

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// line is one thing that happened, for the saved history.
type line struct {
	at   time.Time
	text string
}

// Save writes all that was told and found, one line a thing: first the findings,
// then the history, the disturbances and what observers saw, in the order of time.
func (l *Log) Save(to io.Writer, found Findings) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out strings.Builder
	for _, v := range found.Violations {
		fmt.Fprintf(&out, "violation  %s\n", v)
	}
	begin := l.points[0].at
	for _, line := range l.lines() {
		fmt.Fprintf(&out, "%12s  %s\n", line.at.Sub(begin).Round(time.Microsecond), line.text)
	}
	_, err := io.WriteString(to, out.String())
	return err
}

// lines returns everything in the order of time. The caller holds the lock.
func (l *Log) lines() []line {
	var all []line
	add := func(at time.Time, format string, args ...any) {
		all = append(all, line{at, fmt.Sprintf(format, args...)})
	}
	for _, p := range l.points {
		add(p.at, "store      epoch %d, revision %d: %v", p.epoch, p.rev, p.events)
	}
	for _, d := range l.disturbed {
		add(d.from, "disturbed  begins")
		add(d.until, "disturbed  ends, recovered in %s", d.bound)
	}
	for _, v := range l.views {
		for _, s := range v.seen {
			gap := ""
			if s.gap {
				gap = ", gap"
			}
			add(s.at, "saw        %s: revision %d%s: %s", v.name, s.rev, gap, s.state)
		}
	}
	for _, s := range l.streams {
		for _, seen := range s.seen {
			add(seen.at, "saw        %s: %s", s.name, seen.event)
		}
	}
	for _, r := range l.lookups {
		add(r.answer, "lookup     %s, asked %s before: %s", r.name, r.answer.Sub(r.called).Round(time.Microsecond), r.state)
	}
	slices.SortStableFunc(all, func(a, b line) int { return a.at.Compare(b.at) })
	return all
}

// String returns the keys in order, each with its value.
func (s State) String() string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		out = append(out, key+"="+s[key])
	}
	return "[" + strings.Join(out, " ") + "]"
}
