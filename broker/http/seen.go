package http

import "sync"

// seenLimit is how many keys of messages are remembered for a subscription: more than are
// under way to it at a time.
const seenLimit = 4096

// seen remembers the keys of messages that arrived last, so that one which is posted
// again is not handled again. The zero value is ready for use, by several goroutines at
// once.
type seen struct {
	mu   sync.Mutex
	keys map[string]struct{}
	ring []string // the keys, in the order in which they came
	next int      // the place of the next one, once the ring is full
}

// begin notes a key. It reports false for one that is there already; an empty one never
// is.
func (s *seen) begin(key string) bool {
	if key == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.keys[key]; there {
		return false
	}
	if s.keys == nil {
		s.keys = map[string]struct{}{}
	}
	s.keys[key] = struct{}{}
	if len(s.ring) < seenLimit {
		s.ring = append(s.ring, key)
		return true
	}
	delete(s.keys, s.ring[s.next])
	s.ring[s.next] = key
	s.next = (s.next + 1) % seenLimit
	return true
}

// forget takes a key back whose message was not taken.
func (s *seen) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}
