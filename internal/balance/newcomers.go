package balance

import (
	"maps"
	"sync"
	"time"
)

// forgetAfter is how long a node may be gone that is no newcomer when it is back.
const forgetAfter = 10 * time.Minute

// Newcomers remembers when the nodes of services were first seen. Those that were
// there when a service was first looked at are as old as anything. The zero value is
// ready for use; its methods are safe for concurrent use.
type Newcomers struct {
	mu       sync.Mutex // guards what follows
	looks    uint64     // counts the calls of See
	services map[string]map[string]seen
}

// seen is what is remembered of a node.
type seen struct {
	first time.Time // zero if it was there from the start
	left  time.Time // zero if it is there
	look  uint64    // at which it was there last
}

// See takes note of all nodes that a service has now, by their ids.
func (n *Newcomers) See(service string, now time.Time, nodes int, id func(int) string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known, again := n.services[service]
	if !again {
		if n.services == nil {
			n.services = map[string]map[string]seen{}
		}
		known = map[string]seen{}
		if nodes > 0 { // a service without nodes is not there yet
			n.services[service] = known
		}
	}
	n.looks++
	for i := range nodes {
		s, old := known[id(i)]
		if !old && again {
			s.first = now
		}
		s.left, s.look = time.Time{}, n.looks
		known[id(i)] = s
	}
	maps.DeleteFunc(known, func(id string, s seen) bool {
		if s.look != n.looks && s.left.IsZero() {
			s.left = now
			known[id] = s
		}
		return !s.left.IsZero() && now.Sub(s.left) > forgetAfter
	})
}

// Since returns when each of some nodes of a service was first seen, zero if that is no
// news; nil if none is new for longer than warmUp.
func (n *Newcomers) Since(service string, now time.Time, warmUp time.Duration, nodes int, id func(int) string) []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.services[service]
	var since []time.Time
	for i := range nodes {
		if first := known[id(i)].first; !first.IsZero() && now.Sub(first) < warmUp {
			if since == nil {
				since = make([]time.Time, nodes)
			}
			since[i] = first
		}
	}
	return since
}

// Forget drops what is remembered of a service.
func (n *Newcomers) Forget(service string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.services, service)
}
