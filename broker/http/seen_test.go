package http

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
)

// A message that is posted again while the first post waits for room is not said to be
// taken: the first may yet be refused.
func TestPostedAgainWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		handled := 0
		s := &subscriber{waiters: make(chan struct{}, waitersAtOnce), queue: delivery.NewQueue(delivery.Config{
			Handling: delivery.NewHandling("http", nil), Limits: delivery.Limits{Messages: 1},
			Handler: func(broker.Event) error { <-release; handled++; return nil },
		})}
		d := delivery.Delivery{Message: &broker.Message{}}
		for key := range 2 { // one is handled, one waits
			if err := s.take(t.Context(), strconv.Itoa(key), d); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		lost, hangUp := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { first <- s.take(lost, "twice", d) }()
		synctest.Wait()
		if err := s.take(t.Context(), "twice", d); !errors.Is(err, broker.ErrFull) {
			t.Errorf("the second post, while the first waits: %v", err)
		}
		hangUp()
		if err := <-first; err == nil {
			t.Error("the first post was taken")
		}
		close(release)
		synctest.Wait()
		for range 2 {
			if err := s.take(t.Context(), "twice", d); err != nil {
				t.Errorf("posted again: %v", err)
			}
		}
		s.queue.Close()
		<-s.queue.Done()
		if handled != 3 {
			t.Errorf("%d messages were handled, want 3", handled)
		}
	})
}

// What was refused, however often, makes nothing forgotten that was taken.
func TestRefusalsTakeNoPlace(t *testing.T) {
	var s seen
	s.begin("taken")
	s.end("taken", true)
	for range 2 * seenLimit {
		s.begin("refused")
		s.end("refused", false)
	}
	if _, taken := s.begin("taken"); !taken {
		t.Error("it is forgotten")
	}
	for i := range seenLimit {
		s.begin(strconv.Itoa(i))
		s.end(strconv.Itoa(i), true)
	}
	if _, taken := s.begin("taken"); taken || len(s.ring) != seenLimit || len(s.keys) != seenLimit+1 {
		t.Errorf("%d keys are remembered, in %d places", len(s.keys), len(s.ring))
	}
}
