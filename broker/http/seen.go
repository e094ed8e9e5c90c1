package http

import "sync"

// seenLimit is how many keys of messages are remembered for a subscription: more than are
// under way to it at a time.
const seenLimit = 4096

// seen remembers the keys of the messages that were taken last, so that one which is
// posted again is not handled again. The zero value is ready for use, by several
// goroutines at once.
type seen struct {
	mu   sync.Mutex
	keys map[string]bool // whether the message was taken; otherwise it waits to be
	ring []string        // the keys of those that were taken, in that order
	next int             // the place of the next one, once the ring is full
}

// begin notes that a message waits to be taken, which end ends. If one with that key does
// already or was taken, it reports that instead; an empty key is none.
func (s *seen) begin(key string) (waits, taken bool) {
	if key == "" {
		return false, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if taken, there := s.keys[key]; there {
		return !taken, taken
	}
	if s.keys == nil {
		s.keys = map[string]bool{}
	}
	s.keys[key] = false
	return false, false
}

// end notes whether the message that waited was taken.
func (s *seen) end(key string, taken bool) {
	if key == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !taken {
		delete(s.keys, key)
		return
	}
	s.keys[key] = true
	if len(s.ring) < seenLimit {
		s.ring = append(s.ring, key)
		return
	}
	delete(s.keys, s.ring[s.next])
	s.ring[s.next] = key
	s.next = (s.next + 1) % seenLimit
}
