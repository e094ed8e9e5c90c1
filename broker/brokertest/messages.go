package brokertest

import (
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
		b.until("each message is received once", func() bool { return len(count(in.all())) == len(want) })
		for body, times := range count(in.all()) {
			if times != 1 && !b.suite.Promises.AtLeastOnce {
				b.Errorf("message %s came %d times", body, times)
			}
		}
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
	b.until("each queue has each message", func() bool {
		return len(count(append(one.all(), two.all()...))) == len(want) && len(count(audit.all())) == len(want)
	})
	for body, times := range count(append(one.all(), two.all()...)) {
		if times != 1 && !b.suite.Promises.AtLeastOnce {
			b.Errorf("message %s came %d times to one queue", body, times)
		}
	}
	if len(count(one.all())) == 0 || len(count(two.all())) == 0 {
		b.Errorf("of %d messages one subscription got %d, the other %d", len(want), len(count(one.all())), len(count(two.all())))
	}
}
