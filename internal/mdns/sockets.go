package mdns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
)

const (
	// lookAgain is the time between two looks at the interfaces, lookSoon that to the
	// first after a packet could not be sent.
	lookAgain = 5 * time.Second
	lookSoon  = time.Second
	// waiting is how many packets wait for the engine before the system keeps, and
	// drops, those that follow.
	waiting = 256
)

// family is IPv4 or IPv6: a socket on Port, where what is multicast is heard, and
// one that asks.
type family struct {
	group      netip.AddrPort
	open       func(port uint16) (socket, error)
	heard, ask socket // nil until they could be opened
	askPort    uint16
}

// sockets is the Transport over the host's interfaces.
//
// Goroutines: watch, which looks at the interfaces; listen for each open socket.
type sockets struct {
	use      Links
	ctx      context.Context
	cancel   context.CancelFunc
	watching sync.WaitGroup // watch, which opens sockets
	running  sync.WaitGroup // listen
	packets  chan Packet
	changes  chan error
	failing  chan struct{} // holds a token when a packet could not be sent
	dropped  atomic.Uint64

	near  atomic.Pointer[neighbourhood]
	links atomic.Pointer[[]*link] // those in use, immutable but for joined
	fams  atomic.Pointer[[]family]

	mu     sync.Mutex
	member map[string]bool // where a family hears what is multicast, by family.on
	works  map[string]bool // and where it could send
}

var _ Transport = (*sockets)(nil)

// Open opens the sockets of multicast DNS on the interfaces of this host. It fails
// when no interface takes multicast.
func Open(use Links) (Transport, error) {
	s := &sockets{
		use:     use,
		packets: make(chan Packet, waiting),
		changes: make(chan error, 1),
		failing: make(chan struct{}, 1),
		member:  map[string]bool{},
		works:   map[string]bool{},
	}
	s.fams.Store(&[]family{
		{group: netip.AddrPortFrom(group4, Port), open: open4},
		{group: netip.AddrPortFrom(group6, Port), open: open6},
	})
	s.near.Store(&neighbourhood{})
	s.links.Store(&[]*link{})
	// Ended by Close.
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if _, err := s.look(); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.watching.Go(s.watch)
	return s, nil
}

// look opens sockets that are not open, joins links that are new or failed, and
// reports whether others are in use than before.
func (s *sockets) look() (changed bool, err error) {
	links, err := s.use.find()
	if err != nil {
		return false, err
	}
	fams := slices.Clone(*s.fams.Load())
	var errs []error
	for i := range fams {
		errs = append(errs, s.openFamily(&fams[i]))
	}
	s.fams.Store(&fams)
	works := false
	for _, l := range links {
		if l.source4.IsValid() {
			err := s.join(l, fams[0])
			l.joined4 = err == nil
			errs = append(errs, err)
		}
		if l.has6 {
			err := s.join(l, fams[1])
			l.joined6 = err == nil
			errs = append(errs, err)
		}
		works = works || l.joined4 || l.joined6
	}
	n := near(links)
	s.near.Store(&n)
	changed = signatures(*s.links.Swap(&links)) != signatures(links)
	if !works {
		return changed, fmt.Errorf("%w of this host (%s): %w", ErrNoMulticast, describe(links), errors.Join(errs...))
	}
	return changed, nil
}

// nothing is a packet without questions, which everybody passes over.
var nothing = make([]byte, 12)

// join makes a family hear what is multicast on a link, and finds out whether it can
// multicast there, unless both is known.
func (s *sockets) join(l *link, f family) error {
	if f.heard == nil {
		return nil // the error of the family says why
	}
	key := f.on(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works[key] {
		return nil
	}
	if err := f.heard.join(&l.ifi); err != nil && !s.member[key] {
		return fmt.Errorf("join %s: %w", key, err)
	}
	s.member[key] = true
	if err := f.ask.send(nothing, f.group, l); err != nil {
		return fmt.Errorf("send over %s: %w", key, err)
	}
	s.works[key] = true
	return nil
}

// on names f on l, in errors as well.
func (f family) on(l *link) string {
	return fmt.Sprintf("interface %d, %q, to %v", l.ifi.Index, l.ifi.Name, f.group.Addr())
}

func signatures(links []*link) string {
	var all []string
	for _, l := range links {
		all = append(all, fmt.Sprint(l.signature(), l.joined4, l.joined6))
	}
	return fmt.Sprint(all)
}

// openFamily opens both sockets of f, or none.
func (s *sockets) openFamily(f *family) error {
	if f.heard != nil {
		return nil
	}
	heard, err := f.open(Port)
	if err != nil {
		return fmt.Errorf("open port %d for %v: %w", Port, f.group.Addr(), err)
	}
	ask, err := f.open(0)
	if err != nil {
		_ = heard.close()
		return fmt.Errorf("open a port to ask %v from: %w", f.group.Addr(), err)
	}
	f.heard, f.ask, f.askPort = heard, ask, ask.port()
	s.running.Go(func() { s.listen(heard) })
	s.running.Go(func() { s.listen(ask) })
	return nil
}

// watch looks at the interfaces again and again.
func (s *sockets) watch() {
	down := false
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		case <-s.failing:
			soon := time.NewTimer(lookSoon)
			select {
			case <-soon.C:
			case <-s.ctx.Done():
				soon.Stop()
				return
			}
		}
		changed, err := s.look()
		if err != nil || changed || down {
			s.report(err)
		}
		down = err != nil
		timer.Reset(lookAgain)
	}
}

// report leaves err for the engine in the place of what it has not read yet.
func (s *sockets) report(err error) {
	for {
		select {
		case s.changes <- err:
			return
		default:
		}
		select {
		case <-s.changes:
		default:
		}
	}
}

// listen delivers what comes over one socket.
func (s *sockets) listen(from socket) {
	retry := backoff.Backoff{Base: 10 * time.Millisecond, Max: time.Second}
	buf := make([]byte, maxPacket+1)
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
		if !ok || a.n > maxPacket {
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
	if a.from.Port() == 0 {
		return p, false
	}
	for _, f := range *s.fams.Load() {
		p.Own = p.Own || p.Local && f.askPort == a.from.Port() && f.group.Addr().Is4() == a.from.Addr().Is4()
	}
	// Others on this host may have joined links that are not in use here.
	used := a.link == 0 || p.Local && !s.use.Loopback || slices.ContainsFunc(*s.links.Load(), func(l *link) bool { return l.ifi.Index == a.link })
	// Multicast to these groups is not routed; anything else must be from near.
	return p, used && (a.to.IsMulticast() && !s.use.Loopback || n.isNear(a.from.Addr()))
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

// Packets implements Transport.
func (s *sockets) Packets() <-chan Packet { return s.packets }

// Changes implements Transport.
func (s *sockets) Changes() <-chan error { return s.changes }

// Dropped implements Transport.
func (s *sockets) Dropped() uint64 { return s.dropped.Load() }

// Close implements Transport.
func (s *sockets) Close() error {
	s.cancel()
	s.watching.Wait()
	var errs []error
	for _, f := range *s.fams.Load() {
		for _, c := range []socket{f.heard, f.ask} {
			if c != nil {
				errs = append(errs, c.close())
			}
		}
	}
	s.running.Wait()
	return errors.Join(errs...)
}
