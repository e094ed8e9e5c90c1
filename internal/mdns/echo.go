package mdns

import (
	"hash/maphash"
	"time"
)

// echoTime is how long a packet of ours may take to come back.
const echoTime = 5 * time.Second

// echoes knows which announcements are our own: what is multicast comes back to its
// sender, from a port that it shares with other processes of the host. A packet that
// comes back late must not bring a node back that has left since.
type echoes struct {
	seed         maphash.Seed
	recent, past map[uint64]struct{}
	turned       time.Time
}

func newEchoes() *echoes {
	return &echoes{seed: maphash.MakeSeed(), recent: map[uint64]struct{}{}}
}

// sent notes a packet.
func (e *echoes) sent(packet []byte, now time.Time) {
	if now.Sub(e.turned) > echoTime {
		e.recent, e.past, e.turned = map[uint64]struct{}{}, e.recent, now
	}
	e.recent[maphash.Bytes(e.seed, packet)] = struct{}{}
}

// has reports whether the packet was sent here a short while ago.
func (e *echoes) has(packet []byte) bool {
	sum := maphash.Bytes(e.seed, packet)
	_, recent := e.recent[sum]
	_, past := e.past[sum]
	return recent || past
}
