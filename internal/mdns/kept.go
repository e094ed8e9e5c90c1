package mdns

import (
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// entry is a node of somebody else.
type entry struct {
	heardNode
	id      string
	service *registry.Service // with one node
	topic   *topic
	heard   time.Time // when it was last
	weight  int
}

// heardNode is what the network said, as it said it.
type heardNode = heard

// heardBefore returns the node of that name, nil if there is none.
func (e *Engine) heardBefore(h heard) *entry {
	name := strings.TrimSuffix(h.name, e.names.suffix)
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if t := e.browsed[name[i+1:]]; t != nil {
			if n := t.nodes[name[:i]]; n != nil {
				return n
			}
		}
	}
	return nil
}

// isWanted reports whether a node of that name may be one of a service that somebody
// asks for.
func (e *Engine) isWanted(name string) bool {
	if e.listing != nil {
		return true
	}
	name = strings.TrimSuffix(name, e.names.suffix)
	for i := range len(name) {
		if name[i] == '.' && e.browsed[name[i+1:]] != nil {
			return true
		}
	}
	return false
}

// again takes in what is known.
func (e *Engine) again(n *entry, h heard, now time.Time) {
	if h.ttl == 0 {
		e.remove(record.ID{Service: n.topic.service, Node: n.id}, deleted, now)
		return
	}
	n.heard, n.ttl = now, min(h.ttl, TTL)
	e.watchOver(n)
}

// load puts n in the place of the node that had its id.
func (e *Engine) load(n *entry, now time.Time) {
	old := n.topic.nodes[n.id]
	entries, weight := e.entries+1, e.weight+n.weight
	if old != nil {
		entries, weight = entries-1, weight-old.weight
	}
	if entries > e.bounds.nodes || weight > e.bounds.weight {
		e.counts.refused++
		return
	}
	e.entries, e.weight = entries, weight
	n.ttl = min(n.ttl, TTL)
	n.topic.nodes[n.id] = n
	e.put(n.service)
	if old == nil {
		e.answered(n.topic, now)
	}
	e.watchOver(n)
}

// unload takes n out of what is kept.
func (e *Engine) unload(n *entry) {
	delete(n.topic.nodes, n.id)
	e.entries--
	e.weight -= n.weight
}
