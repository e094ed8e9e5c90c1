package conn

import (
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/endpoint"
)

// hearing is what is known of how silent one wire is. All times are those of the
// watching clock.
type hearing struct {
	received, begun uint64        // counts of the wire, when something was last heard
	quiet           time.Duration // since when calls wait and nothing is heard; zero: not so
	heard           time.Duration // when something was last heard
	asked           bool          // whether the node lives, since it became quiet
	pinged          time.Duration // when a ping was sent on the wire, since it became quiet
	framed          *framed       // where the last ping was sent
	pings           uint64        // sent there, ever
	answers         uint64        // its count when that was sent
}

// maxPings is how many pings of ours a server may have to count. Servers of gRPC end a
// connection, and the calls on it, at the fourth in a row, and one may be grpc's own,
// which measures; the answers to calls make them count anew, whatever else they send
// does not.
const maxPings = 2

// listen takes note of what w received and reports whether there was anything.
func (w *wire) listen(now time.Duration) bool {
	h := &w.hearing
	received, begun, calls := w.received.Load(), w.begun.Load(), w.unanswered()
	if received != h.received {
		h.received, h.begun, h.heard = received, begun, now
		h.quiet, h.asked, h.pinged = 0, false, 0
		w.doubted.Store(false)
		if calls > 0 {
			h.quiet = now
		}
		return true
	}
	// A call that ended by its deadline is evidence as well.
	waiting := calls > 0 || begun != h.begun
	unheard := received == 0 && w.is(endpoint.Ready) // by a dialer of the program
	switch {
	case !waiting || unheard || !w.is(endpoint.Ready):
		h.quiet, h.asked, h.pinged = 0, false, 0
		w.doubted.Store(false)
	case h.quiet == 0:
		h.quiet = now
	}
	return false
}

// unanswered returns how many calls wait for an answer. A stream does not: it may rest
// for as long as both sides like.
func (w *wire) unanswered() int64 { return w.calls.Load() - w.openStreams.Load() }

// quietFor returns how long calls on w have waited and nothing was heard.
func (w *wire) quietFor(now time.Duration) time.Duration {
	if w.hearing.quiet == 0 {
		return 0
	}
	return now - w.hearing.quiet
}

// ping asks for a sign of life on the wire itself, if that may be done: early, only
// once since the last answer to a call.
func (w *wire) ping(now time.Duration, early bool) bool {
	h := &w.hearing
	f := w.framed.Load()
	if f == nil || !w.conn.pings.Load() {
		return false
	}
	if f != h.framed {
		h.framed, h.pings, h.answers = f, 0, 0
	}
	answers := f.answers.Load()
	if h.pings-f.forgiven.Load() >= maxPings || early && h.pings > 0 && answers == h.answers {
		return false
	}
	h.pings++
	h.pinged, h.answers = now, answers
	w.conn.set.wg.Go(f.ping) // which may wait for room in the socket, until that is closed
	return true
}

// patience is how long silence is borne before another connection takes the calls.
// It grows when that turns out to have been needless, as where handlers are slow,
// so that connections are not made again and again.
type patience struct {
	factor time.Duration
	grown  time.Duration // when it last grew
}

const (
	maxPatience   = 8           // times Options.Silence
	patienceLasts = time.Minute // without growing
)

func (p *patience) of(silence, now time.Duration) time.Duration {
	if p.factor == 0 || now-p.grown > patienceLasts {
		p.factor = 1
	}
	return silence * p.factor
}

// borne returns how long silence is borne at present. While calls wait on a connection
// that was left it may well be that handlers are slow, and another one is made late. A
// stream that rests there says nothing.
func (c *Conn) borne(now time.Duration) time.Duration {
	silence := c.set.opts.Silence
	if slices.ContainsFunc(c.wires, func(w *wire) bool { return w.retired && w.unanswered() > 0 }) && !c.silent.Load() {
		return silence * maxPatience
	}
	return c.patience.of(silence, now)
}

func (p *patience) grow(now time.Duration) {
	p.factor, p.grown = min(2*max(p.factor, 1), maxPatience), now
}

// A ping costs next to nothing and is answered at once. The first one is sent early,
// and while it is not answered the node merely comes after those that are ready, so
// that few calls are under way when it turns out to be silent. On a busy machine that
// happens to nodes that live, for as long as they take to answer.
const (
	askEarly = 33 // of Options.Silence, after which the first ping is sent
	doubt    = 25 // of Options.Silence, within which it should be answered
	settle   = 10 // of Options.Silence, after which there is no hurry any more
	linger   = 20 // of Options.Silence, for which the next call is awaited
)

// inspect looks for silence. When half the time is over that silence is borne, it
// asks for a sign of life, by a ping or by a second connection. When the whole time
// is over, calls leave the wire, for another one that was heard since, or for one
// that is being made: then the node counts as silent, until either is heard. A ping
// costs nothing, so the shortest time is borne where it is not answered.
//
// It returns the wires to close, whether there is anything left to watch, and whether
// that has time.
func (c *Conn) inspect(now time.Duration) (ended []*wire, more, calm bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listen(now)
	silence := c.set.opts.Silence
	for _, w := range c.wires {
		quiet, borne := w.quietFor(now), c.borne(now)
		if w.retired || quiet < silence/askEarly {
			continue
		}
		h := &w.hearing
		if !h.asked && w.ping(now, quiet < silence/2) {
			h.asked = true
		}
		if h.pinged != 0 && now-h.pinged >= silence/doubt {
			w.doubted.Store(true)
		}
		if !h.asked && quiet >= borne/2 {
			h.asked = true
			c.second(w)
		}
		if quiet >= borne || h.pinged != 0 && quiet >= silence {
			c.leave(w, now)
		}
	}
	ended = c.closeSurplus(now)
	calm = true
	for _, w := range c.wires {
		quiet, recent := w.quietFor(now), now-w.hearing.heard < silence/linger
		calm = calm && !recent && (w.hearing.quiet == 0 || quiet > silence/settle)
		more = more || recent || w.hearing.quiet != 0 || w.unanswered() > 0 || w.begun.Load() != w.hearing.begun
	}
	return ended, more || len(c.wires) > 1 || c.silent.Load(), calm
}

// listen takes note of what was received on all wires. Calls go back to a wire that
// they had left, if it is heard before the one that took its place.
func (c *Conn) listen(now time.Duration) {
	current := c.current.Load()
	for _, w := range c.wires {
		needless := w.hearing.asked && w.hearing.pinged == 0
		if !w.listen(now) {
			continue
		}
		if needless { // it was not dead but slow to answer
			c.patience.grow(now)
		}
		if w.retired && w.is(endpoint.Ready) && !current.is(endpoint.Ready) { // the node is back
			w.retired = false
			c.current.Store(w)
			c.silent.Store(false)
		}
	}
}

// second makes sure that there is a connection under way beside w, or one that was
// heard since w fell silent. One that is merely there says nothing, and makes room. It
// returns nil if there are as many as there may be.
func (c *Conn) second(w *wire) *wire {
	for _, other := range c.wires {
		switch {
		case other == w || other.retired:
		case other.hearing.heard > w.hearing.quiet:
			return other
		case !other.is(endpoint.Ready):
			other.cc.Connect() // it may be idle
			return other
		case other.calls.Load() == 0 && other != c.current.Load():
			other.retired = true
		}
	}
	if len(c.wires) > c.set.opts.PoolSize { // the others have calls that wait as well
		return nil
	}
	other, err := c.addWire()
	if err != nil { // as for every wire of this endpoint, so that w would not exist
		return nil
	}
	other.streams.Store(w.streams.Load())
	other.cc.Connect()
	return other
}

// leave takes new calls off w.
func (c *Conn) leave(w *wire, now time.Duration) {
	other := c.second(w)
	if other == nil {
		return
	}
	answered := other.is(endpoint.Ready)
	if !answered && w.hearing.pinged == 0 && now-other.born < c.set.opts.Silence/2 {
		return // the question has not been open for long enough
	}
	w.retired = true
	if c.current.Load() == w {
		c.silent.Store(!answered)
		c.current.Store(other)
		if other.is(endpoint.Ready) { // by now
			c.silent.Store(false)
		}
	}
}

// closeSurplus takes from c the wires that were left and have no calls any more,
// and those beside the current one that were not used for Options.CloseDelay. It
// returns them, to be closed.
func (c *Conn) closeSurplus(now time.Duration) (ended []*wire) {
	if len(c.wires) < 2 {
		return nil
	}
	current := c.current.Load()
	kept := c.wires[:0:0]
	for _, w := range c.wires {
		switch {
		case w.calls.Load() > 0:
			w.idle = 0
		case w.idle == 0:
			w.idle = now
		}
		unused := w.idle != 0 && now-w.idle >= c.set.opts.CloseDelay
		if w != current && (w.retired && w.calls.Load() == 0 && !c.silent.Load() || unused) && w.tryClose() {
			ended = append(ended, w)
		} else {
			kept = append(kept, w)
		}
	}
	c.keep(kept)
	return ended
}
