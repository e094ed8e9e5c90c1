package http_test

import (
	"testing"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/broker/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

func TestSuite(t *testing.T) {
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Confirms: true},
		New: func(*testing.T) brokertest.Harness {
			r := memory.NewRegistry()
			return brokertest.Harness{Open: func(opts ...broker.Option) broker.Broker {
				return http.NewBroker(append([]broker.Option{broker.Registry(r), broker.Addrs("127.0.0.1:0")}, opts...)...)
			}}
		},
	})
}

// Who links this package has it as the default.
func TestTheDefaultBroker(t *testing.T) {
	t.Parallel()
	r := memory.NewRegistry()
	b := broker.NewBroker(broker.Addrs("127.0.0.1:0"))
	if err := b.Init(broker.Registry(r)); err != nil {
		t.Fatal(err)
	}
	if b.String() != "http" || b.Options().Registry != r || b.Options().Codec == nil || b.Address() != "127.0.0.1:0" {
		t.Errorf("%s at %s with %+v", b, b.Address(), b.Options())
	}
	if err := b.Disconnect(); err != nil {
		t.Errorf("disconnect before connect: %v", err)
	}
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	got := subscribed(t, b, "t")
	if err := b.Publish("t", &broker.Message{Body: []byte("x")}, broker.Confirmed()); err != nil {
		t.Error(err)
	}
	receive(t, got)
	if err := b.Disconnect(); err != nil {
		t.Error(err)
	}
}
