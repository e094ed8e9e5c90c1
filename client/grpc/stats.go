package grpc

// Stats returns what the client knows at the moment, by name, for whoever exports
// it: services_followed, nodes (that calls may go to), nodes_skipped (those of them that cannot be called, because of their address), suspects (those of them that
// the registry no longer lists), services_not_live and oldest_data_ms (how many of
// the services the registry does not confirm at present, and for how long it has
// not confirmed the oldest of them; one that was never confirmed has no age), and, since
// the client was made, retries and hedges that may have reached a server, and
// retries_refused, for want of budget or because a server asked for none. The map is the caller's. The value that
// NewClient returns has this method unless client.Wrap surrounds it.
func (c *grpcClient) Stats() map[string]uint64 {
	backends := c.current.Load().backends
	known := backends.directory.Summary()
	return map[string]uint64{
		"services_followed": uint64(known.Services),
		"nodes":             uint64(known.Nodes),
		"nodes_skipped":     uint64(backends.skipped()),
		"suspects":          uint64(known.Suspects),
		"services_not_live": uint64(known.NotLive),
		"oldest_data_ms":    uint64(known.Oldest.Milliseconds()),
		"retries":           c.retries.made.Load(),
		"retries_refused":   c.retries.refused.Load(),
		"hedges":            c.retries.hedged.Load(),
	}
}
