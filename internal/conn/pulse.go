package conn

import (
	"fmt"
	"time"
)

// pulse is what is known of the life of a wire whose streams rest.
type pulse struct {
	received uint64        // count of the wire at the last look
	looked   time.Duration // when that was, by Set.now
	missed   int           // looks since, in a row, at which nothing had been received
}

// pulseAsks is how many looks without a sign of life there are before the node is asked
// for one, and pulseEnds before the connection is given up. Looks are counted and not
// time, as a process that was stopped itself must not blame the node.
const (
	pulseAsks = 3
	pulseEnds = 6
)

// feel looks for a sign of life on the wires of c with streams. A node that bears to
// be asked and does not answer has the connection broken off, so that its streams
// fail. It reports whether there are such streams. The caller holds c.mu.
func (c *Conn) feel(now time.Duration) (streams bool) {
	if !c.pings.Load() {
		return false
	}
	for _, w := range c.wires {
		received, f := w.received.Load(), w.framed.Load()
		if w.openStreams.Load() == 0 || f == nil {
			w.pulse = pulse{}
			continue
		}
		streams = true
		if received != w.pulse.received {
			w.pulse = pulse{received: received, looked: now}
			continue
		}
		if now-w.pulse.looked < c.set.opts.Pulse {
			continue
		}
		w.pulse.looked = now
		switch w.pulse.missed++; w.pulse.missed {
		case pulseAsks:
			c.set.wg.Go(f.ping) // which may wait for room in the socket, until that is closed
		case pulseEnds:
			c.set.wg.Go(func() {
				f.breakOff(fmt.Errorf("nothing was heard of %q for %s", c.endpoint.Host, pulseEnds*c.set.opts.Pulse))
			})
			w.pulse = pulse{}
		}
	}
	return streams
}
