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
