package etcd

import "sync/atomic"

// Stats counts what a Conn has done since it was opened. Every number only grows.
type Stats struct {
	Connections     uint64 // TCP connections that came up
	Authentications uint64 // requests for a token
	Grants          uint64 // leases obtained
	Renewals        uint64 // renewals answered
	LeasesLost      uint64 // leases of ours that etcd no longer had
	Writes          uint64 // keys written
	KeysLost        uint64 // times that a key we held was gone, or perhaps gone after silence
	Listings        uint64 // answers to listings of mirrors
	Watches         uint64 // watches begun: all but one a mirror and two a claim replace one that was lost
	Events          uint64 // events received by watches
}

// Counters are what Stats is read from. Whoever does what one of them counts adds
// to it.
type Counters struct {
	Authentications, Grants, Renewals, LeasesLost, Writes, KeysLost, Listings, Watches, Events atomic.Uint64
}

// Stats returns the counts up to now.
func (c *Conn) Stats() Stats {
	n := &c.counters
	return Stats{
		Connections:     c.Link().Generation,
		Authentications: n.Authentications.Load(),
		Grants:          n.Grants.Load(),
		Renewals:        n.Renewals.Load(),
		LeasesLost:      n.LeasesLost.Load(),
		Writes:          n.Writes.Load(),
		KeysLost:        n.KeysLost.Load(),
		Listings:        n.Listings.Load(),
		Watches:         n.Watches.Load(),
		Events:          n.Events.Load(),
	}
}

// Plus returns the sums of both.
func (s Stats) Plus(t Stats) Stats {
	return Stats{
		Connections:     s.Connections + t.Connections,
		Authentications: s.Authentications + t.Authentications,
		Grants:          s.Grants + t.Grants,
		Renewals:        s.Renewals + t.Renewals,
		LeasesLost:      s.LeasesLost + t.LeasesLost,
		Writes:          s.Writes + t.Writes,
		KeysLost:        s.KeysLost + t.KeysLost,
		Listings:        s.Listings + t.Listings,
		Watches:         s.Watches + t.Watches,
		Events:          s.Events + t.Events,
	}
}
