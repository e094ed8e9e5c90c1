package grpc

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// notReady is the error of Ready. Its text may name addresses and users; summary
// does not, and is fit for anybody.
type notReady struct {
	error
	summary string
}

func (e *notReady) Unwrap() error { return e.error }

// Ready returns nil while the server is registered, and otherwise an error that
// says why it is not. The error is for operators: it may name the registry's
// addresses and users.
func (s *grpcServer) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case idle:
		return &notReady{errors.New("the server has not been started"), "not started"}
	case stopped:
		return &notReady{errors.New("the server has been stopped"), "stopped"}
	}
	state := s.run.enrolled.State()
	if err := state.Ready(); err != nil {
		return &notReady{err, state.Phase.String() + " since " + state.Since.Format(time.TimeOnly)}
	}
	return nil
}

// ReadinessHandler answers HTTP requests with whether s is ready: 200 and "ready"
// while it is registered, and otherwise 503 and, of a server of this package, where it
// stands: not registered, paused, displaced or unhealthy, and since when. It keeps the
// reason to itself, which names addresses and users of the registry; the log has it,
// and so has the error of Ready. s may be any other value with a method Ready() error.
// The handler may be mounted before s is started.
func ReadinessHandler(s interface{ Ready() error }) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		answer := "ready\n"
		if err := s.Ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			answer = "not ready\n"
			var known *notReady
			if errors.As(err, &known) {
				answer = "not ready: " + known.summary + "\n"
			}
		}
		// A caller that has gone needs no answer.
		_, _ = io.WriteString(w, answer)
	})
}
