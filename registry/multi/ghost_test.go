package multi

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// sluggish is a member that takes no notice of contexts: it does what it is told a
// while later, or not at all, and may say that it failed though it has done it.
type sluggish struct {
	registry.Registry
	name string

	mu     sync.Mutex
	random *rand.Rand // nil once it does all at once
}

func (s *sluggish) String() string { return s.name }

func (s *sluggish) do(what func() error) error {
	s.mu.Lock()
	var wait time.Duration
	outcome := 0
	if s.random != nil {
		outcome = s.random.IntN(4)
		if s.random.IntN(2) == 0 {
			wait = time.Duration(s.random.Int64N(int64(20 * time.Second)))
		}
	}
	s.mu.Unlock()
	<-time.NewTimer(wait).C
	failed := errors.New("failed")
	if outcome == 1 {
		return failed
	}
	if err := what(); err != nil || outcome != 2 {
		return err
	}
	return failed
}

func (s *sluggish) Register(one *registry.Service, opts ...registry.RegisterOption) error {
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	return s.do(func() error { return s.Registry.Register(one, registry.RegisterTTL(o.TTL)) })
}

func (s *sluggish) Deregister(one *registry.Service, _ ...registry.DeregisterOption) error {
	return s.do(func() error { return s.Registry.Deregister(one) })
}

// TestNoGhosts registers and deregisters a node at random in members that obey late,
// never, or without saying so. In the end the node is in all of them or in none, as was
// asked for last, and stays so.
func TestNoGhosts(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var all []*sluggish
			var members []registry.Registry
			for i := range 2 {
				s := &sluggish{Registry: memory.NewRegistry(), name: fmt.Sprint(i), random: rand.New(rand.NewPCG(seed, uint64(i+1)))}
				defer func() {
					if err := s.Registry.(io.Closer).Close(); err != nil {
						t.Error(err)
					}
				}()
				all, members = append(all, s), append(members, kept{s})
			}
			m := open(t, members...)
			wanted, settled := "", false
			for range 1 + random.IntN(8) {
				if random.IntN(5) < 3 {
					address := fmt.Sprintf("h:%d", 1+random.IntN(3))
					// It outlives the test, so that nothing vanishes by itself.
					err := m.Register(one("s 1 n "+address), registry.RegisterTTL(10*time.Minute))
					settled = settled || err == nil
					wanted = ""
					if settled {
						wanted = "s@1/n=" + address
					}
				} else {
					_ = m.Deregister(one("s 1 n h:1"))
					wanted, settled = "", false
				}
				<-time.NewTimer(time.Duration(random.Int64N(int64(30 * time.Second)))).C
			}
			for _, s := range all {
				s.mu.Lock()
				s.random = nil
				s.mu.Unlock()
			}
			for range 2 {
				<-time.NewTimer(5 * time.Minute).C
				for _, s := range all {
					services, err := s.Registry.GetService("s")
					if got := outline(services); got != wanted || err != nil && !errors.Is(err, registry.ErrNotFound) {
						t.Fatalf("seed %d: member %s has %q, %v, want %q", seed, s.name, got, err, wanted)
					}
				}
			}
			if wanted == "" {
				keepsNothing(t, m)
			}
		})
	}
}
