package once

import (
	"sync"
	"time"
)

// Rate bounds how often in a second something is said. The zero value is ready for use;
// its method may be called by several goroutines at once.
type Rate struct {
	mu    sync.Mutex
	begun time.Time // the second that is counted; guarded by mu
	said  int       // in it; guarded by mu
}

// Allow reports whether it may be said once more in the second of now, limit times in all.
func (r *Rate) Allow(now time.Time, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.begun) >= time.Second {
		r.begun, r.said = now, 0
	}
	r.said++
	return r.said <= limit
}
