package mdns

import (
	"fmt"
	"reflect"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// published is a node of our own.
type published struct {
	service *registry.Service // with one node, as it is published
	asked   *registry.Service // as it was given
	without string            // what was left out of it
	node    node
	ttl     time.Duration

	rest      []time.Time // when it is announced yet
	waits     bool        // an announcement waits until it may leave
	multicast time.Time   // when it last was
	rival     time.Time   // when another with its id was last warned of
}

// Publish makes the nodes of s known, each in the place of what it published before,
// and keeps them known. s must pass record.Check and stay as it is. All nodes are
// published or none.
func (e *Engine) Publish(s *registry.Service, ttl time.Duration) error {
	if ttl <= 0 || ttl > TTL {
		ttl = TTL
	}
	var all []*published
	for _, one := range record.Split(s) {
		p, err := e.prepare(one, ttl)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	if err := e.Start(); err != nil {
		return err
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return registry.ErrClosed
	}
	now := time.Now()
	for _, p := range all {
		e.publish(p, now)
	}
	e.mu.Unlock()
	e.step(e.agenda.run)
	e.nudge()
	return nil
}

// publish puts p in the place of what was published under its name.
func (e *Engine) publish(p *published, now time.Time) {
	old := e.own[p.node.name]
	if old != nil && old.ttl == p.ttl && reflect.DeepEqual(old.asked, p.asked) {
		return
	}
	if p.without != "" && (old == nil || old.without != p.without) {
		e.warn(fmt.Sprintf("A record is published without %s: node %q of %q: the packet that tells of it would be too large for a network", p.without, p.asked.Nodes[0].Id, p.asked.Name))
	}
	name, id := p.service.Name, p.service.Nodes[0].Id
	if e.services[name] == nil {
		e.services[name] = map[string]*published{}
	}
	e.own[p.node.name], e.services[name][id] = p, p
	e.forget(record.ID{Service: name, Node: id}) // should a stranger have had it
	e.put(p.service)
	e.schedule(p, now)
}

// schedule announces p from now on.
func (e *Engine) schedule(p *published, now time.Time) {
	p.rest = nil
	for _, after := range announcements {
		p.rest = append(p.rest, now.Add(after))
	}
	e.agenda.add(now, func(now time.Time) { e.announceNode(p, now) })
}

// announceNode announces p once, when it may, and then as often as is left to do.
func (e *Engine) announceNode(p *published, now time.Time) {
	if e.own[p.node.name] != p || len(p.rest) == 0 || p.rest[0].After(now) {
		return
	}
	next := p.rest[1:]
	first := len(next) == len(announcements)-1
	send := func(now time.Time) {
		p.waits = false
		if e.own[p.node.name] != p {
			return
		}
		e.multicast(p, p.ttl, now)
		if first {
			// Should another have the id, it answers.
			e.ask(p.node.name, anyType, nil)
		}
	}
	if !p.waits { // else the one that waits does for this one
		p.waits = true
		if wait := e.pace.reserve(now); wait > 0 {
			e.agenda.add(now.Add(wait), send)
		} else {
			send(now)
		}
	}
	p.rest = next
	if len(next) > 0 {
		e.agenda.add(next[0], func(now time.Time) { e.announceNode(p, now) })
	}
}

// multicast announces p with a TTL.
func (e *Engine) multicast(p *published, ttl time.Duration, now time.Time) {
	packet, err := announcement(p.node, ttl)
	if err != nil {
		return // it was made before
	}
	p.multicast = now
	e.counts.announcements++
	e.announce(packet, now)
}

// Withdraw says goodbye for the nodes of s.
func (e *Engine) Withdraw(s *registry.Service) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return registry.ErrClosed
	}
	now := time.Now()
	for _, n := range s.Nodes {
		p := e.services[s.Name][n.Id]
		if p == nil {
			continue
		}
		e.goodbye(p, now)
		delete(e.own, p.node.name)
		delete(e.services[s.Name], n.Id)
		if len(e.services[s.Name]) == 0 {
			delete(e.services, s.Name)
		}
		e.remove(record.ID{Service: s.Name, Node: n.Id}, deleted, now)
	}
	e.mu.Unlock()
	e.flush()
	return nil
}

// goodbye tells others that p is gone.
func (e *Engine) goodbye(p *published, now time.Time) { e.multicast(p, 0, now) }
