package grpc

import "github.com/rollcall-go/micro/internal/announce"

// Stats returns what has become of the server's registration, by name, for whoever
// exports it: registered (1 while it is, else 0), registrations (how many times it
// was registered, the first time and after a loss), registrations_lost. The map is
// the caller's. The value that NewServer returns has this method.
func (s *grpcServer) Stats() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return (*announce.Announcement)(nil).Stats()
	}
	stats := s.run.announced.Stats()
	if s.phase == stopped {
		stats["registered"] = 0
	}
	return stats
}
