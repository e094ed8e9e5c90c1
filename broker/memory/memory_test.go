package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestSuite(t *testing.T) {
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Confirms: true},
		New:      func(*testing.T) brokertest.Harness { return brokertest.Harness{Open: memory.NewBroker, Alone: true} },
	})
}

// A message that waits for one member of a queue is not lost when that ends, and goes to
// another one when that lets it wait in vain.
func TestAFullQueueOfTwoMembers(t *testing.T) {
	for _, ends := range []bool{true, false} {
		t.Run(fmt.Sprintf("one ends: %v", ends), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testTwoMembers(t, ends) })
		})
	}
}

func testTwoMembers(t *testing.T, ends bool) {
	b := memory.NewBroker()
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	stuck, other := make(chan struct{}), make(chan struct{})
	var handled atomic.Int64
	subscribe := func(until chan struct{}) broker.Subscriber {
		s, err := b.Subscribe("t", func(broker.Event) error { <-until; handled.Add(1); return nil }, broker.Queue("q"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := subscribe(stuck)
	subscribe(other)
	publish := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return b.Publish("t", &broker.Message{}, broker.PublishContext(ctx))
	}
	taken := int64(0)
	for ; taken < 2*int64(defaults.SubscriptionMessages+1); taken++ {
		if err := publish(time.Second); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	if !ends {
		if err := publish(time.Second); !errors.Is(err, broker.ErrFull) {
			t.Fatalf("there is room: %v", err)
		}
		other <- struct{}{} // makes room for one
		synctest.Wait()
		if err := publish(time.Second); err != nil {
			t.Fatal(err)
		}
		taken++
	}
	var publishers sync.WaitGroup
	for range 2 { // one asks each member first
		publishers.Go(func() {
			if err := publish(time.Minute); err != nil {
				t.Error(err)
			}
		})
		taken++
	}
	synctest.Wait()
	if ends {
		if err := first.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
	}
	close(other)
	publishers.Wait()
	close(stuck)
	if err := b.Disconnect(); err != nil || handled.Load() != taken {
		t.Errorf("%d of %d are handled: %v", handled.Load(), taken, err)
	}
}

// What waits for room when the broker is disconnected is not said to be published.
func TestDisconnectEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.NewBroker(broker.StopGrace(time.Second))
		if err := b.Connect(); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		defer close(release)
		if _, err := b.Subscribe("t", func(broker.Event) error { <-release; return nil }); err != nil {
			t.Fatal(err)
		}
		for range defaults.SubscriptionMessages + 1 {
			if err := b.Publish("t", &broker.Message{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		published := make(chan error, 1)
		go func() { published <- b.Publish("t", &broker.Message{}) }()
		synctest.Wait()
		if err := b.Disconnect(); err == nil {
			t.Error("a handler that does not return is no error")
		}
		if err := <-published; !errors.Is(err, broker.ErrNotConnected) {
			t.Errorf("published: %v", err)
		}
	})
}

func ExampleNewBroker() {
	b := memory.NewBroker()
	if err := b.Connect(); err != nil {
		return
	}
	_, err := b.Subscribe("greetings", func(e broker.Event) error {
		fmt.Println(string(e.Message().Body))
		return nil
	})
	if err != nil {
		return
	}
	_ = b.Publish("greetings", &broker.Message{Body: []byte("hello")})
	_ = b.Disconnect() // waits until it is handled
	// Output: hello
}
