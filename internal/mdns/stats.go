package mdns

// counts are what an Engine has done. Every count only grows.
type counts struct {
	received, malformed, ignored, flooded    uint64
	skipped, refused, expired                uint64
	sent, announcements, queries, suppressed uint64
	rivals                                   uint64
}

// Stats returns what the engine has done, by the name of each count. The map is the
// caller's.
func (e *Engine) Stats() map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, t := e.counts, e.transport
	var dropped uint64
	if t != nil {
		dropped = t.Dropped()
	}
	return map[string]uint64{
		"packets_received":   c.received,
		"packets_malformed":  c.malformed,
		"packets_ignored":    c.ignored,
		"packets_flooded":    c.flooded,
		"packets_not_let_in": dropped,
		"packets_sent":       c.sent,
		"announcements":      c.announcements,
		"queries":            c.queries,
		"answers_withheld":   c.suppressed,
		"records_skipped":    c.skipped,
		"records_refused":    c.refused,
		"records_expired":    c.expired,
		"id_conflicts":       c.rivals,
	}
}
