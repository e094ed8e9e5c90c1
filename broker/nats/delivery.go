package nats

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/delivery"
)

// Delivery says how messages are kept and given again, with JetStream. Zero values mean
// the defaults.
//
// A topic is kept by the stream whose subjects have it. If there is none, Publish or
// Subscribe makes one for the topic alone, in files: its name is the topic with "_" for
// each dot, "__" for "_", "any" for "*" and "all" for ">". Make a stream yourself, with
// `nats stream add`, to have it otherwise.
//
// A subscription with a broker.Queue is the durable consumer of the queue's name, a "-"
// and the topic, named as streams are. The messages of the topic are shared out among all
// who have subscribed with that queue, and kept while nobody has. One without a queue is
// a consumer of its own, which the server forgets five minutes after it was last heard of.
type Delivery struct {
	// AckWait is the time after which a message comes again whose process has not been
	// heard of. Handlers may take longer: the server is told that they are at work. With
	// broker.DisableAutoAck it runs from the return of the handler to Ack. By default 30
	// seconds.
	AckWait time.Duration
	// MaxDeliver is how many times a message is given before it is put aside as a dead
	// letter: published to the topic with "dead." before it, which is kept as any topic
	// is. By default 10. A negative number means without end.
	MaxDeliver int
	// RetryWait is the wait before a message comes again whose handler returned an
	// error. It doubles each time, up to RetryMaxWait, and half of it is random. By
	// default a second and a minute.
	RetryWait, RetryMaxWait time.Duration
	// MaxAge is how long streams that are made here keep a message, by default 24 hours.
	MaxAge time.Duration
	// Replicas is how many servers of a cluster keep a stream that is made here, by
	// default one.
	Replicas int
	// FromStart gives a new subscription, or a new queue, all that the stream holds, and
	// not only what is published from then on.
	FromStart bool
}

// The defaults of Delivery, and bounds of what a subscription holds.
const (
	ackWait      = 30 * time.Second
	maxDeliver   = 10
	retryWait    = time.Second
	retryMaxWait = time.Minute
	maxAge       = 24 * time.Hour

	heldMessages    = 128 // that a subscription has taken from the server
	heldBytes       = 16 << 20
	heldByServer    = 5 * time.Minute // a consumer without a queue that is not heard of
	deadLetterTopic = "dead."
)

func (d Delivery) withDefaults() Delivery {
	d.AckWait = cmp.Or(d.AckWait, ackWait)
	d.MaxDeliver = cmp.Or(d.MaxDeliver, maxDeliver)
	d.RetryWait = cmp.Or(d.RetryWait, retryWait)
	d.RetryMaxWait = max(cmp.Or(d.RetryMaxWait, retryMaxWait), d.RetryWait)
	d.MaxAge = cmp.Or(d.MaxAge, maxAge)
	d.Replicas = cmp.Or(d.Replicas, 1)
	return d
}

// check says what cannot be.
func (d Delivery) check() error {
	if d.AckWait < 0 || d.RetryWait < 0 || d.RetryMaxWait < 0 || d.MaxAge < 0 || d.Replicas < 0 {
		return fmt.Errorf("use %+v: times and replicas are not negative", d)
	}
	return nil
}

func (d Delivery) retry() delivery.Retry {
	return delivery.Retry{MaxDeliver: d.MaxDeliver, Wait: d.RetryWait, MaxWait: d.RetryMaxWait}
}

// nameOf returns the name of what is for a topic or a queue, of letters that names in
// JetStream may have. Different texts have different names.
func nameOf(text string) string {
	var name strings.Builder
	for i, word := range strings.Split(text, ".") {
		if i > 0 {
			name.WriteByte('_')
		}
		switch word {
		case "*":
			name.WriteString("any")
		case ">":
			name.WriteString("all")
		default:
			spell(&name, word)
		}
	}
	return name.String()
}

func spell(name *strings.Builder, word string) {
	for _, c := range []byte(word) {
		switch {
		case c == '_':
			name.WriteString("__")
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-':
			name.WriteByte(c)
		default:
			fmt.Fprintf(name, "=%02X", c)
		}
	}
}

// covers reports whether all that a subject pattern means is meant by another.
func covers(wide, narrow string) bool {
	w, n := strings.Split(wide, "."), strings.Split(narrow, ".")
	for i, word := range w {
		switch {
		case word == ">":
			return len(n) > i
		case i >= len(n):
			return false
		case word == "*" && n[i] != ">":
		case word != n[i]:
			return false
		}
	}
	return len(w) == len(n)
}
