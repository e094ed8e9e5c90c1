package brokertest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// concurrency shows that as many handlers run at once as the subscription says.
func concurrency(b *bench) {
	with := b.open()
	for _, n := range []int{1, 4} {
		topic := "at once " + string(rune('0'+n))
		topic = strings.ReplaceAll(topic, " ", ".")
		hello := newInbox()
		var running, most atomic.Int32
		all := make(chan struct{})
		handled := newInbox()
		b.handle(with, topic, func(e broker.Event) error {
			if strings.HasPrefix(string(e.Message().Body), "hello") {
				return hello.handle(e)
			}
			now := running.Add(1)
			defer running.Add(-1)
			if now > most.Load() {
				most.Store(now)
			}
			if int(now) == n {
				select {
				case <-all:
				default:
					close(all)
				}
			}
			select {
			case <-all:
			case <-b.Context().Done():
			}
			b.elapse(10 * time.Millisecond) // in which more may begin
			return handled.handle(e)
		}, broker.Concurrency(n))
		b.reached(with, topic, hello)
		want := numbers(3 * n)
		for _, body := range want {
			b.publish(with, topic, body)
		}
		recv(b, "as many handlers run as may", all)
		b.complete(want, handled)
		if int(most.Load()) > n {
			b.Errorf("%d handlers ran at once, %d may", most.Load(), n)
		}
	}
}

// panicking shows that a handler that panics, or ends its goroutine, loses no more than
// the message in its hands.
func panicking(b *bench) {
	errs := make(chan error, 1000)
	with := b.open(broker.ErrorHandler(func(e broker.Event) error {
		errs <- e.Error()
		return nil
	}))
	in, other := newInbox(), newInbox()
	var panicked atomic.Int32
	b.handle(with, "panic", func(e broker.Event) error {
		if string(e.Message().Body) == "panic" && panicked.Add(1) == 1 {
			var none []int
			_ = none[len(e.Message().Body)] // no failure of the test
		}
		return in.handle(e)
	}, broker.Concurrency(1))
	b.handle(with, "panic", other.handle)
	b.reached(with, "panic", in, other)
	b.publish(with, "panic", "panic")
	want := numbers(10)
	for _, body := range want {
		b.publish(with, "panic", body)
	}
	b.complete(want, in)
	b.complete(want, other)
	if err := recv(b, "the error handler is told", errs); err == nil || !strings.Contains(err.Error(), "index out of range") {
		b.Errorf("the error handler was told %v", err)
	}
}

// failing shows that the ErrorHandler of the last Init is told of what a handler returns,
// with the message, and that a broker which promises it hands the message out again.
func failing(b *bench) {
	reason := errors.New("no disk")
	type told struct {
		topic, body string
		err         error
	}
	errs := make(chan told, 1000)
	with := b.open(broker.ErrorHandler(func(e broker.Event) error {
		b.Errorf("the error handler before the last was told %v", e.Error())
		return nil
	}))
	if err := with.Init(broker.ErrorHandler(func(e broker.Event) error {
		errs <- told{e.Topic(), string(e.Message().Body), e.Error()}
		return errors.New("nor can the error handler")
	})); err != nil {
		b.Errorf("init with another error handler: %v", err)
	}
	var attempts atomic.Int32
	in := newInbox()
	b.handle(with, "fail", func(e broker.Event) error {
		if string(e.Message().Body) == "fail" && attempts.Add(1) <= 2 {
			return reason
		}
		return in.handle(e)
	})
	b.reached(with, "fail", in)
	b.publish(with, "fail", "fail")
	if got := recv(b, "the error handler is told", errs); got.topic != "fail" || got.body != "fail" || !errors.Is(got.err, reason) {
		b.Errorf("the error handler was told %+v", got)
	}
	if b.suite.Promises.AtLeastOnce {
		b.until("the message comes until it is handled", func() bool { return attempts.Load() == 3 })
	}
	b.publish(with, "fail", "000000")
	b.complete([]string{"000000"}, in)
}

// byHand shows that without automatic acknowledgement the handler acknowledges: what it
// does not, comes again if the broker promises that.
func byHand(b *bench) {
	with := b.open()
	var attempts atomic.Int32
	in := newInbox()
	s := b.handle(with, "ack", func(e broker.Event) error {
		if string(e.Message().Body) == "ack" && b.suite.Promises.AtLeastOnce && attempts.Add(1) == 1 {
			return nil // and does not acknowledge
		}
		if err := e.Ack(); err != nil {
			b.Errorf("ack: %v", err)
		}
		return in.handle(e)
	}, broker.DisableAutoAck(), broker.Queue("q"))
	if s.Options().AutoAck || s.Options().Queue != "q" || s.Topic() != "ack" {
		b.Errorf("the subscription is to %q with %+v", s.Topic(), s.Options())
	}
	b.reached(with, "ack", in)
	b.publish(with, "ack", "ack")
	if b.suite.Promises.AtLeastOnce {
		b.until("a message that was not acknowledged comes again", func() bool { return attempts.Load() >= 2 })
	}
	b.publish(with, "ack", "000000")
	b.complete([]string{"000000"}, in)
}

// slow shows that a subscriber that takes nothing neither keeps others from their messages
// nor publishers from publishing, who are told if messages are not taken for it.
func slow(b *bench) {
	with := b.open(broker.StopGrace(100*time.Millisecond), broker.ErrorHandler(func(broker.Event) error { return nil }))
	b.stuck = true
	hello, in := newInbox(), newInbox()
	release := make(chan struct{})
	b.Cleanup(func() { close(release) })
	b.handle(with, "slow", func(e broker.Event) error {
		if strings.HasPrefix(string(e.Message().Body), "hello") {
			return hello.handle(e)
		}
		<-release
		return nil
	}, broker.Concurrency(1))
	b.handle(with, "slow", in.handle)
	b.reached(with, "slow", hello, in)
	for i, body := range numbers(4000) {
		// A busy server may take longer than a publisher waits; what is full does not.
		ctx, cancel := context.WithTimeout(b.Context(), 50*time.Millisecond)
		err := with.Publish("slow", &broker.Message{Body: []byte(body)}, broker.PublishContext(ctx))
		cancel()
		if err != nil && !errors.Is(err, broker.ErrFull) && !errors.Is(err, context.DeadlineExceeded) {
			b.Fatalf("publish %s: %v, want nil or one that wraps ErrFull", body, err)
		}
		if err != nil && !errors.Is(err, broker.ErrFull) {
			continue // nobody knows whether it is published
		}
		if i%100 == 99 {
			b.until(body+" is received by who is not slow", func() bool { return in.has(body) })
		}
	}
}
