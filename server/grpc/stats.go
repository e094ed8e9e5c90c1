package grpc

// Stats returns what has become of the server's registration, by name, for whoever
// exports it: registered (1 while it is, else 0), registrations (how many times it
// was registered, the first time and after a loss), registrations_lost. The map is
// the caller's. The value that NewServer returns has this method.
func (s *grpcServer) Stats() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := map[string]uint64{"registered": 0, "registrations": 0, "registrations_lost": 0}
	if s.run == nil || s.run.enrolled == nil {
		return stats
	}
	if s.phase != stopped && s.run.enrolled.Ready() == nil {
		stats["registered"] = 1
	}
	stats["registrations"], stats["registrations_lost"] = s.run.enrolled.Counts()
	return stats
}
