package delivery

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
)

// How a handler ends is told: to Done, to the ErrorHandler, and by an acknowledgement.
func TestHowHandlersEnd(t *testing.T) {
	reason := errors.New("no disk")
	var none map[string]int
	for name, tt := range map[string]struct {
		handler broker.Handler
		auto    bool
		ack     error
		acks    int
		says    string // empty: nothing is wrong
	}{
		"well":                        {func(broker.Event) error { return nil }, true, nil, 1, ""},
		"well, by hand":               {func(e broker.Event) error { return e.Ack() }, false, nil, 1, ""},
		"well, and not yet by hand":   {func(broker.Event) error { return nil }, false, nil, 0, ""},
		"well, not acknowledged":      {func(broker.Event) error { return nil }, true, reason, 1, "acknowledge: no disk"},
		"by an error":                 {func(broker.Event) error { return reason }, true, nil, 0, "no disk"},
		"by a panic":                  {func(broker.Event) error { none["x"]++; return nil }, true, nil, 0, "the handler panicked: assignment"},
		"by the end of its goroutine": {func(broker.Event) error { runtime.Goexit(); return nil }, true, nil, 0, "ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acks := 0
				var done, told error
				h := NewHandling("test", func(e broker.Event) error {
					told = e.Error()
					if e.Topic() != "t" || string(e.Message().Body) != "b" {
						t.Errorf("told of %q in %q", e.Message().Body, e.Topic())
					}
					none["the error handler panics too"]++
					return nil
				})
				var s Set
				q := s.Open(Config{Handling: h, Handler: tt.handler, AutoAck: tt.auto})
				q.TryPut(Delivery{
					Topic: "t", Message: &broker.Message{Body: []byte("b")},
					Ack: func() error { acks++; return tt.ack }, Done: func(err error) { done = err },
				})
				if err := s.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if acks != tt.acks {
					t.Errorf("%d acknowledgements, want %d", acks, tt.acks)
				}
				for who, err := range map[string]error{"Done": done, "ErrorHandler": told} {
					if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
						t.Errorf("%s was told %v, want %q", who, err, tt.says)
					}
				}
			})
		})
	}
}

func TestDrainGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Set
		release := make(chan struct{})
		q := s.Open(Config{Handling: NewHandling("test", nil), Handler: func(broker.Event) error { <-release; return nil }})
		var dropped error
		for range 2 {
			q.TryPut(Delivery{Message: &broker.Message{}, Done: func(err error) {
				if err != nil {
					dropped = err
				}
			}})
			synctest.Wait()
		}
		err := s.Drain(within(t, time.Second))
		if err == nil || !strings.Contains(err.Error(), "1 messages are not handled, 1 handlers have not returned") || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if !errors.Is(dropped, context.DeadlineExceeded) {
			t.Errorf("what was dropped was told %v", dropped)
		}
		close(release)
		<-q.Done()
	})
}

func TestBoundsOfPublications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := Publishing(broker.PublishOptions{})
		defer cancel()
		if end, ok := ctx.Deadline(); !ok || time.Until(end) != defaults.PublishTimeout {
			t.Errorf("a publication without a context ends %v", end)
		}
		own := within(t, time.Hour)
		if ctx, cancel := Publishing(broker.PublishOptions{Context: own}); ctx != own {
			t.Error("a deadline of the publisher's is replaced")
		} else {
			cancel()
		}
		stop, cancel := Stopping(broker.Options{StopGrace: time.Minute})
		defer cancel()
		if end, _ := stop.Deadline(); time.Until(end) != time.Minute {
			t.Errorf("a stop ends %v", end)
		}
	})
}

func TestACopyIsWhole(t *testing.T) {
	m := &broker.Message{Header: map[string]string{"a": "b"}, Body: []byte("body")}
	c := Copy(m)
	m.Header["a"], m.Body[0] = "c", 'x'
	if c.Header["a"] != "b" || string(c.Body) != "body" || Size(c) != 6 {
		t.Errorf("the copy is %+v, of %d bytes", c, Size(c))
	}
}
