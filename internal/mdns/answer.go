package mdns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
)

// onceASecond is how often a record may be multicast because somebody asked (RFC 6762,
// section 6).
const onceASecond = time.Second

// respond answers a packet of questions. Where there is more to answer than may be
// sent at once, it is not always the same that is left out: maps are read in no order.
func (e *Engine) respond(p Packet, m message, now time.Time) {
	for _, q := range m.questions {
		if e.answers.isEmpty(now) {
			e.counts.suppressed++
			return
		}
		if q.t == dnsmessage.TypePTR || q.t == anyType {
			e.respondPointers(p, q, m.pointers, now)
		}
		e.respondNode(p, q, now)
	}
}

// respondPointers answers one who asks for the nodes of a service, or for the names
// of all.
func (e *Engine) respondPointers(p Packet, q question, knowns []pointer, now time.Time) {
	switch q.name {
	case e.names.listing:
		for name := range e.services {
			e.respondListed(p, q, name, knowns, now)
		}
	case e.names.types:
		for name := range e.services {
			b := newBuilder(response(), true)
			b.question(q.name, q.t)
			b.ptr(q.name, name+e.names.suffix, TTL)
			e.reply(p, b, now)
		}
	default:
		name, _ := strings.CutSuffix(q.name, e.names.suffix)
		for _, own := range e.services[name] {
			if e.answers.isEmpty(now) {
				e.counts.suppressed++
				return
			}
			if !isKnown(knowns, q.name, own.node.name, own.ttl) {
				e.respondWith(p, q, own, now)
			}
		}
	}
}

// isKnown reports whether the asker has the answer, for half of its life at least.
func isKnown(knowns []pointer, name, to string, ttl time.Duration) bool {
	return slices.ContainsFunc(knowns, func(k pointer) bool { return k.name == name && k.to == to && k.ttl >= ttl/2 })
}

// respondListed says that there is a service of that name, in v2's words: as a node
// that nobody can call.
func (e *Engine) respondListed(p Packet, q question, service string, knowns []pointer, now time.Time) {
	name, err := txt.Listed(service, e.cfg.Domain)
	if err != nil || isKnown(knowns, q.name, name, TTL) {
		return
	}
	b := newBuilder(response(), true)
	b.question(q.name, q.t)
	b.ptr(q.name, name, TTL)
	b.node(node{name: name, target: e.cfg.Host, addr: netip.AddrPortFrom(netip.IPv4Unspecified(), listedPort)}, TTL)
	e.reply(p, b, now)
}

// respondWith tells the asker of one node: him alone if he asked from a port of his
// own, everybody if he is one who hears what is multicast, or far.
func (e *Engine) respondWith(p Packet, q question, own *published, now time.Time) {
	if p.From.Port() == Port || p.Far {
		if now.Sub(own.multicast) >= onceASecond && e.answers.take(now) {
			e.multicast(own, own.ttl, now)
		}
		return
	}
	b := newBuilder(response(), true)
	b.question(q.name, q.t)
	b.ptr(q.name, own.node.name, own.ttl)
	b.node(own.node, own.ttl)
	e.reply(p, b, now)
}

// respondNode answers one who asks for the records of one node.
func (e *Engine) respondNode(p Packet, q question, now time.Time) {
	own := e.own[q.name]
	if own == nil {
		return
	}
	b := newBuilder(response(), true)
	b.question(q.name, q.t)
	switch q.t {
	case anyType:
		b.node(own.node, own.ttl)
	case dnsmessage.TypeSRV:
		b.srv(own.node, own.ttl)
		b.address(own.node, own.ttl)
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		b.address(own.node, own.ttl)
	case dnsmessage.TypeTXT:
		b.txt(own.node, own.ttl)
	default:
		return
	}
	e.reply(p, b, now)
}

// reply sends what b made to the asker, unless he is far or too much is sent already.
func (e *Engine) reply(p Packet, b *builder, now time.Time) {
	if p.Far {
		e.counts.suppressed++
		return
	}
	packet, err := b.packet()
	if err != nil {
		return // what is published was packed before
	}
	if !e.answers.take(now) {
		e.counts.suppressed++
		return
	}
	e.counts.sent++
	to, link := p.From, p.Link
	e.out = append(e.out, outgoing{func(t Transport, packet []byte) { t.Reply(packet, to, link) }, packet})
}

// rival tells that somebody else has the id of a node of ours. Both go on: readers
// take the one that they heard last.
func (e *Engine) rival(own *published, other heard, from netip.AddrPort, now time.Time) {
	if now.Sub(own.rival) < time.Minute && !own.rival.IsZero() {
		return
	}
	own.rival = now
	e.counts.rivals++
	e.warn(fmt.Sprintf("Another node has the id of ours: node %q: %v says that it is at %v, ours is at %v: give each node an id of its own", own.service.Nodes[0].Id, from.Addr(), other.addr, own.node.addr))
}
