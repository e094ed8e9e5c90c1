package mdns

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// receive reads a packet.
func (e *Engine) receive(p Packet, now time.Time) {
	if p.Own || e.closed {
		return
	}
	if !e.arrivals.take(now) {
		e.counts.flooded++
		return
	}
	if p.Local && e.echoes.has(p.Data) {
		return
	}
	e.counts.received++
	m, err := parse(p.Data)
	switch {
	case errors.Is(err, errNotOurs):
		e.counts.ignored++
	case err != nil:
		e.counts.malformed++
	case m.response:
		e.learn(p, m, now)
	default:
		e.respond(p, m, now)
	}
}

// learn takes in what a packet says of services and nodes.
func (e *Engine) learn(p Packet, m message, now time.Time) {
	for _, h := range m.nodes {
		if !strings.HasSuffix(h.name, e.names.suffix) {
			continue
		}
		if name, ok := txt.ListedName(h.name, e.cfg.Domain); ok {
			e.learnName(name, h.ttl, now)
			continue
		}
		if own := e.own[h.name]; own != nil {
			e.learnOwn(own, h, p, now)
			continue
		}
		if h.addr.Addr().IsUnspecified() || h.addr.Addr().IsLoopback() && !p.Local {
			// It would lead to this host, where the node is not.
			e.counts.refused++
			continue
		}
		e.learnNode(h, now)
	}
}

// learnOwn takes in what somebody else says of a node of ours.
func (e *Engine) learnOwn(own *published, h heard, p Packet, now time.Time) {
	same := own.node.addr == h.addr && slices.Equal(own.node.text, h.text)
	switch {
	case h.ttl == 0 && len(own.rest) == 0: // otherwise it is announced anyhow
		// A former process with its id left. Readers may have taken it for ours.
		e.schedule(own, now)
	case h.ttl > 0 && !same:
		e.rival(own, h, p.From, now)
	}
}

// learnName takes in that there is a service, if somebody wants to know all.
func (e *Engine) learnName(name string, ttl time.Duration, now time.Time) {
	if e.listing == nil || ttl == 0 {
		return
	}
	_, there := e.listed[name]
	if !there && len(e.listed) >= e.bounds.listed {
		e.counts.refused++
		return
	}
	if record.CheckName(name) != nil {
		e.counts.skipped++
		return
	}
	if _, err := e.topic(name, now); err != nil {
		e.counts.refused++
		return
	}
	e.listed[name] = now.Add(min(ttl, TTL))
	if !there {
		e.answered(e.listing, now)
	}
}

// learnNode takes in a node, if somebody wants to know of its service. Where its id ends
// and its service begins, its name does not show; its text does.
func (e *Engine) learnNode(h heard, now time.Time) {
	n := e.heardBefore(h)
	if n != nil && n.addr == h.addr && slices.Equal(n.text, h.text) {
		e.again(n, h, now)
		return
	}
	if h.ttl == 0 {
		// Of another with its id, who left when this one had come already, the goodbye
		// has another address.
		if n != nil && n.addr == h.addr {
			e.again(n, h, now)
		}
		return
	}
	if !e.isWanted(h.name) {
		return
	}
	if n == nil && e.entries >= e.bounds.nodes {
		e.counts.refused++
		return
	}
	text, err := e.decode(h.text, now)
	if err != nil {
		e.counts.skipped++
		return
	}
	id, ok := txt.NodeID(h.name, text.Service, e.cfg.Domain)
	if !ok {
		e.counts.skipped++
		return
	}
	t := e.browsed[text.Service]
	if t == nil {
		if e.listing == nil {
			return
		}
		e.learnName(text.Service, TTL, now)
		if t = e.browsed[text.Service]; t == nil {
			return
		}
	}
	s := &registry.Service{
		Name: text.Service, Version: text.Version, Endpoints: text.Endpoints,
		Nodes: []*registry.Node{{Id: id, Address: h.addr.String(), Metadata: text.Metadata}},
	}
	if record.CheckStored(s, s.Nodes[0]) != nil {
		e.counts.skipped++
		return
	}
	e.load(&entry{heardNode: h, id: id, service: s, topic: t, heard: now, weight: entryBytes + txt.Weight(h.text) + text.Weight()}, now)
}

var errBusy = errors.New("too much was decoded")

// decode reads a text, unless too much time went into that.
func (e *Engine) decode(text []string, now time.Time) (txt.Record, error) {
	if e.decoding.isEmpty(now) {
		return txt.Record{}, errBusy
	}
	began := time.Now()
	r, err := txt.Decode(text)
	e.decoding.spend(float64(time.Since(began).Microseconds())/1000, now)
	return r, err
}
