package pick

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/similar"
)

// Reason is why there is no node.
type Reason int

const (
	// NeverSeen: the registry answers and has no node, nor had one while this
	// process asked.
	NeverSeen Reason = iota
	// Empty: there were nodes, and now there is none.
	Empty
	// Filtered: there are nodes, but the filters or the program's strategy leave
	// none of them.
	Filtered
	// Paused: there is no node, and an operator has taken some out.
	Paused
	// Uncallable: there are nodes, and none has an address that can be called. The
	// cause says what is wrong with some of them.
	Uncallable
	// Tried: every node was tried in this call.
	Tried
	// Unhealthy: there are nodes, and none of them can be reached. The cause is the
	// error of the last attempt.
	Unhealthy
	// Unreachable: the registry has not answered.
	Unreachable
	// Refused: the registry does not accept who we are, or wants to know. The cause
	// then is a fs.ErrPermission, as that of Forbidden.
	Refused
	// Forbidden: the registry knows who we are, and does not let that read the
	// service.
	Forbidden
)

// Error says why no node could be chosen. errors.Is with selector.ErrNotFound
// holds for NeverSeen, Empty and Paused, with selector.ErrNoneAvailable for the others,
// and with whatever Cause is or wraps.
type Error struct {
	Service  string
	Reason   Reason
	Registry string        // kind and address, may be empty
	Nodes    int           // known, suspects included
	Versions []string      // known, for Filtered
	Age      time.Duration // since the data was confirmed, zero for just now
	Since    time.Time     // for how long the cause lasts, zero if unknown
	Disk     bool          // the data is what an earlier process left on disk
	Cause    error         // what is the matter with the registry, nil if nothing
	Similar  []string      // names of known services that may have been meant
	Paused   []string      // nodes that an operator has taken out
	Nearby   string        // another registry that may have been meant, empty if none is known
}

// Missing explains why the snapshot has no node at all. The cause is what is the
// matter with the registry, nil if nothing.
func (p *Picker) Missing(s *discovery.Snapshot, cause error) *Error {
	switch kind := refusal.Of(cause); {
	case kind == refusal.Login && !s.Known:
		return p.failure(s, Refused, cause)
	case kind == refusal.Right && !s.Known:
		return p.failure(s, Forbidden, cause)
	case !s.Known:
		return p.failure(s, Unreachable, cause)
	case s.Seen:
		return p.failure(s, Empty, cause)
	default:
		return p.failure(s, NeverSeen, cause)
	}
}

// Hint adds what the registry itself was asked about a service without nodes: the
// names of all services, and the nodes that are paused; and where else one may look.
func (e *Error) Hint(names, paused []string, nearby string) {
	if e.Reason != NeverSeen && e.Reason != Empty {
		return
	}
	if len(names) > 0 {
		e.Similar = similar.Services(e.Service, names)
	}
	e.Nearby = nearby
	if len(paused) > 0 {
		e.Reason, e.Paused = Paused, paused
	}
}

// Unhealthy explains why a call failed of which nothing was written in any attempt;
// last is the error of the last one. It returns nil if there is a node left that
// may be reached: then last says it all.
func (c *Call) Unhealthy(last error) *Error {
	if c.targets == nil || len(c.targets.Live)+len(c.targets.Suspects) == 0 || c.next != nil {
		return nil
	}
	for _, targets := range [][]Target{c.targets.Live, c.targets.Suspects} {
		for _, t := range targets {
			if state := t.state(); !c.excluded(t.Node) && (state == endpoint.Ready || state == endpoint.Idle) {
				return nil
			}
		}
	}
	return c.picker.failure(c.snapshot, Unhealthy, last)
}

func (p *Picker) failure(s *discovery.Snapshot, r Reason, cause error) *Error {
	e := &Error{
		Service: s.Name,
		Reason:  r,
		Nodes:   len(s.Nodes) + len(s.Suspects),
		Age:     s.Age(time.Now()),
		Since:   s.Since,
		Disk:    s.Origin == discovery.Disk,
		Cause:   cause,
	}
	if p.Registry != nil {
		e.Registry = p.Registry()
	}
	switch r {
	case Filtered:
		for _, v := range s.Routing {
			if len(v.Nodes) > 0 {
				e.Versions = append(e.Versions, v.Version)
			}
		}
	case NeverSeen, Empty:
		if p.Names != nil {
			e.Similar = similar.Services(s.Name, p.Names())
		}
	}
	return e
}

// Unwrap returns the sentinel of package selector and the cause.
func (e *Error) Unwrap() []error {
	sentinel := selector.ErrNoneAvailable
	if e.Reason == NeverSeen || e.Reason == Empty || e.Reason == Paused {
		sentinel = selector.ErrNotFound
	}
	if e.Cause == nil {
		return []error{sentinel}
	}
	return []error{sentinel, e.Cause}
}

// text returns what err says. An errors.Error is JSON as a text; what it says is its
// detail.
func text(err error) string {
	if e, ok := err.(*errors.Error); ok && e.GetDetail() != "" {
		return e.GetDetail()
	}
	return err.Error()
}

// Error tells the whole of it in one sentence.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "service %q: ", e.Service)
	where := "the registry"
	if e.Registry != "" {
		where = e.Registry
	}
	switch e.Reason {
	case NeverSeen:
		fmt.Fprintf(&b, "not found: %s has 0 nodes (never seen)", where)
	case Empty:
		fmt.Fprintf(&b, "not found: %s has 0 nodes (all that were seen are gone)", where)
	case Filtered:
		fmt.Fprintf(&b, "none available: the selection leaves none of %d nodes (versions %q)", e.Nodes, e.Versions)
	case Paused:
		fmt.Fprintf(&b, "not found: %s has 0 nodes, and an operator has paused %q (micro node resume)", where, e.Paused)
	case Uncallable:
		fmt.Fprintf(&b, "none available: none of %d nodes has an address that can be called", e.Nodes)
	case Tried:
		fmt.Fprintf(&b, "none available: all of %d nodes were tried", e.Nodes)
	case Unhealthy:
		fmt.Fprintf(&b, "none available: none of %d nodes can be reached", e.Nodes)
	case Unreachable:
		fmt.Fprintf(&b, "none available: %s has not answered yet", where)
	case Refused:
		fmt.Fprintf(&b, "none available: %s refuses the credentials", where)
	case Forbidden:
		fmt.Fprintf(&b, "none available: %s does not allow to read it", where)
	}
	if e.Age > 0 {
		fmt.Fprintf(&b, "; as of %s ago", e.Age.Round(time.Second))
		if e.Disk {
			b.WriteString(", from disk")
		}
	}
	switch {
	case e.Cause == nil:
	case e.Reason == Unhealthy, e.Reason == Refused, e.Reason == Forbidden, e.Reason == Uncallable, e.Reason == Filtered:
		fmt.Fprintf(&b, ": %s", text(e.Cause))
	default:
		fmt.Fprintf(&b, "; out of touch")
		if !e.Since.IsZero() {
			fmt.Fprintf(&b, " since %s", e.Since.Format(time.RFC3339))
		}
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if len(e.Similar) > 0 {
		fmt.Fprintf(&b, "; did you mean %q?", e.Similar)
	}
	if e.Nearby != "" {
		b.WriteString("; " + e.Nearby)
	}
	return b.String()
}
