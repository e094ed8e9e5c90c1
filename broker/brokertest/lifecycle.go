package brokertest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// connecting shows what works before Connect and after Disconnect.
func connecting(b *bench) {
	with := b.harness.Open()
	handler := func(broker.Event) error { return nil }
	if err := with.Disconnect(); err != nil {
		b.Errorf("disconnect before connect: %v", err)
	}
	if _, err := with.Subscribe("life", handler); !errors.Is(err, broker.ErrNotConnected) {
		b.Errorf("subscribe before connect: %v", err)
	}
	for range 2 {
		for range 2 {
			if err := with.Connect(); err != nil {
				b.Fatalf("connect: %v", err)
			}
		}
		if with.Address() == "" || with.String() == "" {
			b.Errorf("connected as %q to %q", with.String(), with.Address())
		}
		in := b.subscribe(with, "life")
		b.reached(with, "life", in)
		b.publish(with, "life", "000000")
		b.complete([]string{"000000"}, in)
		for range 2 {
			if err := with.Disconnect(); err != nil {
				b.Errorf("disconnect: %v", err)
			}
		}
		_, err := with.Subscribe("life", handler)
		for _, err := range []error{err, with.Publish("life", &broker.Message{})} {
			if !errors.Is(err, broker.ErrNotConnected) {
				b.Errorf("after disconnect: %v", err)
			}
		}
	}
}

// settled is a time in which something would happen that must not.
const settled = 100 * time.Millisecond

// unsubscribed shows that a subscription which has ended gets nothing that is published
// later, also one that ends itself.
func unsubscribed(b *bench) {
	publisher, subscriber := b.open(), b.open()
	stays, leaves, itself := newInbox(), newInbox(), newInbox()
	b.handle(subscriber, "leave", stays.handle)
	s := b.handle(subscriber, "leave", leaves.handle)
	own := make(chan broker.Subscriber, 1)
	ended := make(chan error, 1000)
	own <- b.handle(subscriber, "leave", func(e broker.Event) error {
		if string(e.Message().Body) == "end" {
			select {
			case s := <-own:
				ended <- s.Unsubscribe()
			default:
			}
			return nil
		}
		return itself.handle(e)
	})
	b.reached(publisher, "leave", stays, leaves, itself)
	b.publish(publisher, "leave", "end")
	if err := recv(b, "it has ended itself", ended); err != nil {
		b.Errorf("unsubscribe in a handler: %v", err)
	}
	for range 2 {
		if err := s.Unsubscribe(); err != nil {
			b.Errorf("unsubscribe: %v", err)
		}
	}
	// What is on its way when a subscription ends may still come.
	n := 0
	b.until("the subscriptions that have ended get no more messages", func() bool {
		body := fmt.Sprintf("%06d", n)
		n++
		b.publish(publisher, "leave", body)
		b.complete([]string{body}, stays)
		b.elapse(settled)
		return !leaves.has(body) && !itself.has(body)
	})
	before := len(leaves.all()) + len(itself.all())
	for _, body := range numbers(20) {
		b.publish(publisher, "leave", "late "+body)
	}
	b.until("they are received by who stays", func() bool { return stays.has("late 000019") })
	if got := len(leaves.all()) + len(itself.all()); got != before {
		b.Errorf("subscriptions that had ended got %d messages", got-before)
	}
}

// finished shows that Disconnect waits for the handlers of what was taken.
func finished(b *bench) {
	publisher := b.open()
	subscriber := publisher
	if !b.harness.Alone {
		subscriber = b.open()
	}
	hello, in := newInbox(), newInbox()
	release := make(chan struct{})
	var running atomic.Int32
	begun := make(chan struct{}, 1000)
	b.handle(subscriber, "finish", func(e broker.Event) error {
		if strings.HasPrefix(string(e.Message().Body), "hello") {
			return hello.handle(e)
		}
		running.Add(1)
		defer running.Add(-1)
		begun <- struct{}{}
		<-release
		return in.handle(e)
	}, broker.Concurrency(2))
	b.reached(publisher, "finish", hello)
	want := numbers(10)
	for _, body := range want {
		b.publish(publisher, "finish", body, broker.Confirmed())
	}
	recv(b, "a handler runs", begun)
	disconnected := make(chan error, 1)
	go func() { disconnected <- subscriber.Disconnect() }()
	b.elapse(settled)
	if len(disconnected) > 0 {
		b.Error("it did not wait for the handlers")
	}
	close(release)
	if err := recv(b, "it is disconnected", disconnected); err != nil {
		b.Errorf("disconnect: %v", err)
	}
	if n := running.Load(); n != 0 {
		b.Errorf("%d handlers still run", n)
	}
	if n := len(count(in.all())); b.suite.Promises.Confirms && n != len(want) {
		b.Errorf("of %d messages that were taken %d were handled", len(want), n)
	}
}

// bounded shows that Disconnect does not wait longer than it is told to.
func bounded(b *bench) {
	with := b.harness.Open(broker.StopGrace(200 * time.Millisecond))
	if err := with.Connect(); err != nil {
		b.Fatal(err)
	}
	hello := newInbox()
	release, begun := make(chan struct{}), make(chan struct{}, 1000)
	b.handle(with, "stuck", func(e broker.Event) error {
		if strings.HasPrefix(string(e.Message().Body), "hello") {
			return hello.handle(e)
		}
		begun <- struct{}{}
		<-release
		return nil
	})
	b.reached(with, "stuck", hello)
	b.publish(with, "stuck", "stuck")
	recv(b, "the handler runs", begun)
	disconnected := make(chan error, 1)
	go func() { disconnected <- with.Disconnect() }()
	if err := recv(b, "it is disconnected", disconnected); err == nil {
		b.Error("a handler that does not return is no error")
	}
	close(release)
}
