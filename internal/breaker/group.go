package breaker

import (
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Key says what a breaker is for. Parts that do not count are empty.
type Key struct{ Service, Endpoint, Address string }

func (k Key) String() string {
	s := k.Service
	if k.Endpoint != "" {
		s += "." + k.Endpoint
	}
	if k.Address != "" {
		s += "@" + k.Address
	}
	return s
}

// idle is how long a breaker is kept that nobody uses: nodes come and go, and breakers
// of those that went must not add up.
const idle = 10 * time.Minute

// Group holds the breakers of one wrapper. A lookup of one that is there takes a lock
// for reading and no memory.
type Group struct {
	settings func(Key) gobreaker.Settings

	mu     sync.RWMutex // guards what follows
	all    map[Key]*Breaker
	looked time.Time // when breakers that nobody uses were last looked for
}

// NewGroup returns a group whose breakers are made with what settings says of them. An
// empty Name becomes that of the key; without IsSuccessful and IsExcluded a breaker
// counts what Failed and Cancelled say.
func NewGroup(settings func(Key) gobreaker.Settings) *Group {
	return &Group{settings: settings, all: map[Key]*Breaker{}, looked: time.Now()}
}

// Of returns the breaker for a key.
func (g *Group) Of(k Key) *Breaker {
	g.mu.RLock()
	b := g.all[k]
	g.mu.RUnlock()
	if b == nil {
		b = g.add(k)
	}
	if !b.used.Load() {
		b.used.Store(true)
	}
	return b
}

func (g *Group) add(k Key) *Breaker {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.all[k]; b != nil {
		return b
	}
	now := time.Now()
	if now.Sub(g.looked) >= idle {
		g.looked = now
		for key, b := range g.all {
			if !b.used.Swap(false) && !b.Open() {
				delete(g.all, key)
			}
		}
	}
	b := newBreaker(k.String(), g.settings(k))
	b.used.Store(true)
	g.all[k] = b
	return b
}
