// Package brokertest is what a broker.Broker promises, as tests. Every implementation of
// the house passes them; run them for one of your own: docs/ADDING_A_BROKER.md.
package brokertest

import (
	"cmp"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// Promises are what one broker promises beyond what every broker does. The suite holds it
// to them.
type Promises struct {
	// Ordered: a subscription with broker.Concurrency(1) gets the messages of one
	// publisher in the order of their publication, as long as nothing fails.
	Ordered bool
	// Confirms: broker.Confirmed reports a topic without subscribers.
	Confirms bool
	// AtLeastOnce: what was published without an error is handled without one in the
	// end, also beyond a Fault, and is handed out again while handlers fail.
	AtLeastOnce bool
	// Heals: publications and deliveries go on by themselves after a Fault; what is
	// published meanwhile may be lost, unless AtLeastOnce.
	Heals bool
}

// Fault is something bad that can be done to what lies between brokers: a server, or the
// registry.
type Fault struct {
	Name string // "frozen", say
	// Begin makes it happen, End mends it. Both return when that is done.
	Begin, End func(t *testing.T)
}

// Harness makes the brokers of one test.
type Harness struct {
	// Open returns a broker that is not connected. All brokers of one harness share
	// their topics, which nobody else knows.
	Open func(opts ...broker.Option) broker.Broker
	// Alone is set where brokers do not share topics, each being a world of its own: the
	// tests then use one broker for all they do.
	Alone bool
	// Faults are what can happen to this harness, and to no other that runs at the same
	// time.
	Faults []Fault
}

// Suite is one implementation under test.
type Suite struct {
	Promises Promises
	// New returns the harness of one test, whose end cleans it up.
	New func(t *testing.T) Harness
	// Patience is how long something promised may take. Zero means 20 s.
	Patience time.Duration
}

// patience is how long something promised may take, unless the suite says otherwise.
const patience = 20 * time.Second

// tests are the suite, beside Faults.
var tests = []struct {
	name string
	test func(*bench)
}{
	{"EverySubscriptionGetsEveryMessage", everybody},
	{"AQueueSharesMessages", shared},
	{"MessagesArriveWhole", whole},
	{"AMessageIsItsOwners", owned},
	{"MessagesComeInOrder", ordered},
	{"ManyPublishAtOnce", crowd},
	{"NobodyHasSubscribed", nobody},
	{"WhatCannotBe", refused},
	{"TopicsThatLookAlike", topics},
	{"HandlersAtOnce", concurrency},
	{"AHandlerPanics", panicking},
	{"AHandlerFails", failing},
	{"AHandlerAcknowledges", byHand},
	{"ASlowSubscriberHarmsNobody", slow},
	{"ConnectAndDisconnect", connecting},
	{"ASubscriptionEnds", unsubscribed},
	{"DisconnectFinishesWhatWasTaken", finished},
	{"DisconnectIsBounded", bounded},
}

// Run runs the suite, Faults included.
func Run(t *testing.T, s Suite) {
	s.Patience = cmp.Or(max(s.Patience, 0), patience)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(newBench(t, s))
		})
	}
	t.Run("Faults", func(t *testing.T) {
		t.Parallel()
		Faults(t, s)
	})
}
