package announce

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// NotReady is the error of a server that is not registered. Its text may name
// addresses and users; Summary does not, and is fit for anybody.
type NotReady struct {
	error
	Summary string
}

// NewNotReady returns the error with a reason for operators and one for anybody.
func NewNotReady(reason error, summary string) *NotReady { return &NotReady{reason, summary} }

// Unwrap returns the reason for operators.
func (e *NotReady) Unwrap() error { return e.error }

// Unready returns nil while the node is registered, and otherwise a *NotReady.
func (a *Announcement) Unready() error {
	state := a.State()
	if err := state.Ready(); err != nil {
		return NewNotReady(err, state.Phase.String()+" since "+state.Since.Format(time.TimeOnly))
	}
	return nil
}

// Handler answers HTTP requests with whether ready returns nil: 200 and "ready", or 503
// and, of a *NotReady, its summary. Other reasons it keeps to itself.
func Handler(ready func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		answer := "ready\n"
		if err := ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			answer = "not ready\n"
			var known *NotReady
			if errors.As(err, &known) {
				answer = "not ready: " + known.Summary + "\n"
			}
		}
		// A caller that has gone needs no answer.
		_, _ = io.WriteString(w, answer)
	})
}

// Stats returns what has become of the registration, by name: registered (1 while the
// node is, else 0), registrations and registrations_lost. The map is the caller's. a may be nil.
func (a *Announcement) Stats() map[string]uint64 {
	stats := map[string]uint64{"registered": 0, "registrations": 0, "registrations_lost": 0}
	if a == nil {
		return stats
	}
	if a.Ready() == nil {
		stats["registered"] = 1
	}
	stats["registrations"], stats["registrations_lost"] = a.Counts()
	return stats
}
