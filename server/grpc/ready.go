package grpc

import (
	"io"
	"net/http"
)

// ReadinessHandler answers HTTP requests with whether s is ready: 200 and "ready"
// while it is registered, and otherwise 503 with the reason. s is a server of this
// package, or any other value with a method Ready() error. It may be mounted before
// s is started.
func ReadinessHandler(s interface{ Ready() error }) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		answer := "ready\n"
		if err := s.Ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			answer = err.Error() + "\n"
		}
		// A caller that has gone needs no answer.
		_, _ = io.WriteString(w, answer)
	})
}
