package etcd

// Stats returns what the registry has done since it was made, by the name of each
// count, for whoever exports them: connections, authentications, leases_granted,
// lease_renewals, leases_lost, keys_written, keys_lost, listings, watches, events,
// records_skipped. Every count only grows, also over Init. The map is the
// caller's.
func (b *backend) Stats() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.past.Plus(b.link.conn.Stats())
	if b.former != nil {
		s = s.Plus(b.former.conn.Stats())
	}
	return map[string]uint64{
		"connections":     s.Connections,
		"authentications": s.Authentications,
		"leases_granted":  s.Grants,
		"lease_renewals":  s.Renewals,
		"leases_lost":     s.LeasesLost,
		"keys_written":    s.Writes,
		"keys_lost":       s.KeysLost,
		"listings":        s.Listings,
		"watches":         s.Watches,
		"events":          s.Events,
		"records_skipped": uint64(b.skipped.Load()),
	}
}
