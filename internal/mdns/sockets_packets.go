package mdns

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
)

// listen delivers what comes over one socket.
func (s *sockets) listen(from socket) {
	retry := backoff.Backoff{Base: 10 * time.Millisecond, Max: time.Second}
	buf := make([]byte, maxRead)
	for failures := 0; ; {
		a, err := from.receive(buf)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			pause := time.NewTimer(retry.Ceiling(failures))
			failures++
			select {
			case <-pause.C:
			case <-s.ctx.Done():
				pause.Stop()
				return
			}
			continue
		}
		failures = 0
		p, ok := s.let(a)
		if !ok {
			s.dropped.Add(1)
			continue
		}
		p.Data = slices.Clone(buf[:a.n])
		select {
		case s.packets <- p:
		case <-s.ctx.Done():
			return
		}
	}
}

// let decides whether a packet comes from near, over a link in use.
func (s *sockets) let(a arrival) (Packet, bool) {
	n := s.near.Load()
	// Programs that leave it to the system where they send from send over loopback from
	// no address at all.
	p := Packet{From: a.from, Link: a.link, Local: n.isOwn(a.from.Addr()) || n.loop[a.link]}
	near := n.isNear(a.from.Addr())
	p.Far = !near && !p.Local
	if a.from.Port() == 0 {
		return p, false
	}
	for _, f := range *s.fams.Load() {
		p.Own = p.Own || p.Local && f.askPort == a.from.Port() && f.group.Addr().Is4() == a.from.Addr().Is4()
	}
	// Others on this host may have joined links that are not in use here.
	used := a.link == 0 || p.Local && !s.use.Loopback || slices.ContainsFunc(*s.links.Load(), func(l *link) bool { return l.ifi.Index == a.link })
	// Multicast to these groups is not routed; anything else must be from near.
	return p, used && (a.to.IsMulticast() && !s.use.Loopback || near)
}

// Ask implements Transport.
func (s *sockets) Ask(packet []byte) {
	s.multicast(packet, func(f family) socket { return f.ask })
}

// Announce implements Transport.
func (s *sockets) Announce(packet []byte) {
	s.multicast(packet, func(f family) socket { return f.heard })
}

func (s *sockets) multicast(packet []byte, which func(family) socket) {
	fams := *s.fams.Load()
	for _, l := range *s.links.Load() {
		for i, joined := range []bool{l.joined4, l.joined6} {
			if !joined {
				continue
			}
			if err := which(fams[i]).send(packet, fams[i].group, l); err != nil {
				s.fail(l, fams[i])
			}
		}
	}
}

// fail notes that a packet could not be sent, and has the interfaces looked at.
func (s *sockets) fail(l *link, f family) {
	s.mu.Lock()
	delete(s.works, f.on(l))
	s.mu.Unlock()
	select {
	case s.failing <- struct{}{}:
	default:
	}
}

// Reply implements Transport. An answer that does not arrive is asked for again.
func (s *sockets) Reply(packet []byte, to netip.AddrPort, _ int) {
	f := (*s.fams.Load())[0]
	if to.Addr().Is6() {
		f = (*s.fams.Load())[1]
	}
	if f.heard != nil {
		_ = f.heard.send(packet, to, nil)
	}
}
