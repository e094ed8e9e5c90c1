// Package once bounds how often something is said: a warning whose text depends on what
// comes from outside must neither repeat itself nor fill a disk.
package once

import "sync"

// most bounds how much is told apart.
const most = 100

// Set remembers what was said. The zero value is ready for use; its method may be called
// by several goroutines at once.
type Set struct {
	mu   sync.Mutex
	seen map[string]bool // guarded by mu
}

// First reports whether what was not seen before, and is worth saying: a hundred
// different ones are.
func (s *Set) First(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[what] || len(s.seen) >= most {
		return false
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[what] = true
	return true
}
