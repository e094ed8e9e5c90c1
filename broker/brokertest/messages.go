package brokertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/broker"
)

// everybody shows that each subscription gets each message of its topic, and no other.
func everybody(b *bench) {
	publisher, first, second := b.open(), b.open(), b.open()
	boxes := []*inbox{b.subscribe(first, "news"), b.subscribe(second, "news"), b.subscribe(second, "news")}
	other := b.subscribe(first, "other")
	b.reached(publisher, "news", boxes...)
	want := numbers(50)
	for _, body := range want {
		b.publish(publisher, "news", body)
	}
	for _, in := range boxes {
		b.complete(want, in)
	}
	if got := other.all(); len(got) != 0 {
		b.Errorf("another topic got %q", got)
	}
}

// shared shows that a message goes to one subscription of each queue.
func shared(b *bench) {
	publisher, first, second := b.open(), b.open(), b.open()
	one, two := b.subscribe(first, "work", broker.Queue("workers")), b.subscribe(second, "work", broker.Queue("workers"))
	audit := b.subscribe(second, "work", broker.Queue("audit"))
	b.reached(publisher, "work", one, two, audit)
	want := numbers(100)
	for _, body := range want {
		b.publish(publisher, "work", body)
	}
	b.complete(want, one, two)
	b.complete(want, audit)
	if len(count(one.all())) == 0 || len(count(two.all())) == 0 {
		b.Errorf("of %d messages one subscription got %d, the other %d", len(want), len(count(one.all())), len(count(two.all())))
	}
}

// whole shows that a message arrives as it was published, whatever is in it.
func whole(b *bench) {
	publisher, subscriber := b.open(), b.open()
	got := make(chan *broker.Message, 100)
	hello := newInbox()
	b.handle(subscriber, "odd", func(e broker.Event) error {
		if e.Topic() != "odd" || e.Error() != nil {
			b.Errorf("topic %q, error %v", e.Topic(), e.Error())
		}
		if strings.HasPrefix(string(e.Message().Body), "hello") {
			return hello.handle(e)
		}
		got <- e.Message()
		return nil
	}, broker.Concurrency(1))
	b.reached(publisher, "odd", hello)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, m := range []*broker.Message{
		{},
		{Body: []byte("no header")},
		{Header: map[string]string{}, Body: []byte("an empty one")},
		{Header: map[string]string{"Content-Type": "application/json", "Ключ": "значение \"100%\"", "Empty": "", "x": "a\nb\t<&>"}, Body: all},
		{Header: map[string]string{"Long": strings.Repeat("x", 10000)}, Body: bytes.Repeat(all, 2000)},
	} {
		header := maps.Clone(m.Header)
		if err := publisher.Publish("odd", m); err != nil {
			b.Fatalf("publish %d bytes with %d headers: %v", len(m.Body), len(m.Header), err)
		}
		if !maps.Equal(m.Header, header) {
			b.Errorf("Publish changed the headers to %q", m.Header)
		}
		received := recv(b, "the message", got)
		for k, v := range header {
			if received.Header[k] != v {
				b.Errorf("header %q: got %.100q, want %.100q", k, received.Header[k], v)
			}
		}
		if !bytes.Equal(received.Body, m.Body) {
			b.Errorf("a body of %d bytes came as %d others", len(m.Body), len(received.Body))
		}
	}
}

// owned shows that a message is the publisher's again after Publish, and each handler's own.
func owned(b *bench) {
	publisher, subscriber := b.open(), b.open()
	spoil := func(in *inbox) broker.Handler {
		return func(e broker.Event) error {
			err := in.handle(e)
			if e.Message().Header != nil {
				e.Message().Header["Of"] = "spoiled"
			}
			for i := range e.Message().Body {
				e.Message().Body[i] = 'x'
			}
			return err
		}
	}
	boxes := []*inbox{newInbox(), newInbox()}
	for _, in := range boxes {
		b.handle(subscriber, "own", spoil(in))
	}
	b.reached(publisher, "own", boxes...)
	want := numbers(50)
	m := &broker.Message{Header: map[string]string{"Of": "own"}, Body: make([]byte, 6)}
	for _, body := range want {
		copy(m.Body, body)
		if err := publisher.Publish("own", m); err != nil {
			b.Fatal(err)
		}
		copy(m.Body, "------")
	}
	for _, in := range boxes {
		b.complete(want, in)
	}
}

// ordered shows that a subscription with one handler at a time gets messages in order.
func ordered(b *bench) {
	if !b.suite.Promises.Ordered {
		b.Skip("the broker promises no order")
	}
	publisher, subscriber := b.open(), b.open()
	in := b.subscribe(subscriber, "order", broker.Concurrency(1))
	b.reached(publisher, "order", in)
	want := numbers(500)
	for _, body := range want {
		b.publish(publisher, "order", body)
	}
	b.complete(want, in)
	got := slices.DeleteFunc(in.all(), func(body string) bool { return len(body) != 6 })
	for i, body := range slices.Compact(got) {
		if i >= len(want) || body != want[i] {
			b.Errorf("received %s in the place of message %d", body, i)
			break
		}
	}
}

// crowd shows that many publish at once.
func crowd(b *bench) {
	publisher, subscriber := b.open(), b.open()
	in := b.subscribe(subscriber, "crowd", broker.Queue("q"))
	b.reached(publisher, "crowd", in)
	want := numbers(800)
	var publishers sync.WaitGroup
	for part := range slices.Chunk(want, 100) {
		publishers.Go(func() {
			for _, body := range part {
				if err := publisher.Publish("crowd", &broker.Message{Body: []byte(body)}); err != nil {
					b.Errorf("publish: %v", err)
				}
			}
		})
	}
	publishers.Wait()
	b.complete(want, in)
}

// nobody shows what a publisher without subscribers hears.
func nobody(b *bench) {
	publisher := b.open()
	for range 3 {
		if err := publisher.Publish("nobody", &broker.Message{Body: []byte("x")}); err != nil {
			b.Errorf("publish: %v", err)
		}
	}
	err := publisher.Publish("nobody", &broker.Message{Body: []byte("x")}, broker.Confirmed())
	if b.suite.Promises.Confirms && !errors.Is(err, broker.ErrNoSubscribers) {
		b.Errorf("confirmed: %v, want one that wraps ErrNoSubscribers", err)
	}
	subscriber := b.open()
	in := b.subscribe(subscriber, "nobody")
	b.reached(publisher, "nobody", in)
	b.publish(publisher, "nobody", "000000", broker.Confirmed())
	b.complete([]string{"000000"}, in)
}

// refused shows that what cannot be published or subscribed to is an error.
func refused(b *bench) {
	with := b.open()
	ended, cancel := context.WithCancel(b.Context())
	cancel()
	_, nothing := with.Subscribe("refused", nil)
	_, unnamed := with.Subscribe("", func(broker.Event) error { return nil })
	for what, err := range map[string]error{
		"no message":                  with.Publish("refused", nil),
		"no topic":                    with.Publish("", &broker.Message{Body: []byte("x")}),
		"a context that is over":      with.Publish("refused", &broker.Message{}, broker.PublishContext(ended)),
		"no handler":                  nothing,
		"no topic for a subscription": unnamed,
	} {
		if err == nil {
			b.Errorf("%s: no error", what)
		}
	}
}

// topics shows that topics which look alike are not the same.
func topics(b *bench) {
	with := b.open()
	names := []string{"a", "A", "a.b", "a-b", "a_b", "a/b", "ab", "a.b.c"}
	boxes := map[string]*inbox{}
	for _, name := range names {
		boxes[name] = b.subscribe(with, name)
	}
	for _, name := range names {
		b.reached(with, name, boxes[name])
	}
	for i, name := range names {
		b.publish(with, name, fmt.Sprintf("%06d", i))
	}
	for i, name := range names {
		b.complete([]string{fmt.Sprintf("%06d", i)}, boxes[name])
	}
}
