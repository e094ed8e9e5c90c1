package memory_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestSuite(t *testing.T) {
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Confirms: true},
		New:      func(*testing.T) brokertest.Harness { return brokertest.Harness{Open: memory.NewBroker, Alone: true} },
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
