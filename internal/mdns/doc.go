// Package mdns registers nodes and finds them by multicast DNS (RFC 6762), without
// any server, with the records of go-micro v2.
//
// An [Engine] does both for one registry. It announces its nodes when they come,
// when they change, and, with a TTL of 0, when they go; and answers whoever asks. What
// it is asked for once it browses from then on: it asks the network at growing
// intervals, says which answers it knows, hears announcements, and asks again for what
// is about to run out. So a second look at a service is one into memory.
//
// Goroutines: one loop for each Engine, which owns the agenda; those of the [Transport].
// All end with Close. State is guarded by Engine.mu; packets leave in the order in
// which they were made, under Engine.sending.
//
// Whoever is on the same network can say what he likes in multicast DNS, also in the
// name of others. What he can use up is bounded, per Engine:
//
//   - packets read: 64 KB each, of which 256 wait, 128 records, 16 questions; 5,000 a
//     second; answers that come to one question from the network at once may be 20,000
//   - texts decoded, which is what costs most: a quarter of one processor's time, two
//     seconds of it at once
//   - packets from elsewhere than this host and its own networks are not let in
//   - nodes of others: 10,000, and 64 MB with all that they say, a quarter more at worst; no
//     record is kept of a service that nobody asked for
//   - nodes that went, and why: 10,000
//   - services browsed: 2,000; names of services: 1,000
//   - answers sent: 1,000 a second, 1,000 at once; the same of questions, and of
//     announcements
//   - what a text inflates to: see [txt.Decode]
//
// What is beyond is dropped and counted.
package mdns

import "time"

const (
	// TTL is how long others may keep a record that nobody renewed, at most. It is
	// v2's.
	TTL = 120 * time.Second
	// Settling is how long after the first answer others are waited for.
	Settling = 60 * time.Millisecond
	// Absent is how long a name is asked for, twice, until it is not there.
	Absent = 1250 * time.Millisecond
	// Kept is how long a service is browsed that nobody looks at any more; one of which
	// no node was seen UnseenKept.
	Kept       = 10 * time.Minute
	UnseenKept = 30 * time.Second
)

// When a node is announced, counted from the first time, as v2 does.
var announcements = []time.Duration{0, time.Second, 3 * time.Second}

// Browsing (RFC 6762, section 5.2).
const (
	askFirst = time.Second // from the first question to the second; then it doubles
	askMost  = time.Minute
)

// refresh are the ages, in hundredths of the TTL, at which a record is asked for.
var refresh = []time.Duration{80, 85, 90, 95, 100}

// Bounds; see the package's comment.
const (
	aimedPacket  = 1400  // what every network carries in one piece
	maxPacket    = 9000  // RFC 6762, section 17
	maxRead      = 65535 // v2 writes packets of any size
	maxQuestions = 16
	maxRecords   = 128
	maxNodes     = 10_000
	maxWeight    = 64 << 20
	entryBytes   = 1024 // what a node takes beside what it says
	maxGone      = 10_000
	maxBrowsed   = 2_000 // so that a list full of names that nobody serves leaves room
	maxListed    = 1_000
	packetRate   = 5_000
	packetBurst  = 20_000
	decodeRate   = 250 // milliseconds
	decodeBurst  = 2_000
	sendRate     = 1_000
	sendBurst    = 1_000
)
