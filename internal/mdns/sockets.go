package mdns

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
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

	mu    sync.Mutex
	works map[string]bool // where a family hears and sends what is multicast, by family.on
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
