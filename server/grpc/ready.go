package grpc

import (
	"errors"
	"net/http"

	"github.com/rollcall-go/micro/internal/announce"
)

// Ready returns nil while the server is registered, and otherwise an error that
// says why it is not. The error is for operators: it may name the registry's
// addresses and users.
func (s *grpcServer) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case idle:
		return announce.NewNotReady(errors.New("the server has not been started"), "not started")
	case stopped:
		return announce.NewNotReady(errors.New("the server has been stopped"), "stopped")
	}
	return s.run.announced.Unready()
}

// ReadinessHandler answers HTTP requests with whether s is ready: 200 and "ready"
// while it is registered, and otherwise 503 and, of a server of this package, where it
// stands: not registered, paused, displaced or unhealthy, and since when. It keeps the
// reason to itself, which names addresses and users of the registry; the log has it,
// and so has the error of Ready. s may be any other value with a method Ready() error.
// The handler may be mounted before s is started.
func ReadinessHandler(s interface{ Ready() error }) http.Handler {
	return announce.Handler(s.Ready)
}
