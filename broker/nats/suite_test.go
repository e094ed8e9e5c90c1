package nats

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/internal/testkit"
)

// quick makes messages come again soon.
var quick = Delivery{AckWait: 2 * time.Second, RetryWait: 20 * time.Millisecond, RetryMaxWait: 200 * time.Millisecond}

func TestSuite(t *testing.T) {
	t.Parallel()
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Heals: true},
		New:      func(t *testing.T) brokertest.Harness { return harness(t) },
	})
}

func TestSuiteOfJetStream(t *testing.T) {
	t.Parallel()
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Heals: true, AtLeastOnce: true},
		New:      func(t *testing.T) brokertest.Harness { return harness(t, JetStream(quick)) },
	})
}

// harness has a server of its own.
func harness(t *testing.T, opts ...broker.Option) brokertest.Harness {
	server := testkit.StartNATS(t)
	return brokertest.Harness{
		Open: func(more ...broker.Option) broker.Broker {
			return NewBroker(append(append([]broker.Option{broker.Addrs(server.Addr())}, opts...), more...)...)
		},
		Faults: []brokertest.Fault{
			{Name: "killed", Begin: func(*testing.T) { server.Kill() }, End: func(t *testing.T) { server.Restart(t) }},
			{Name: "frozen", Begin: func(t *testing.T) { server.Freeze(t) }, End: func(t *testing.T) { server.Thaw(t) }},
		},
	}
}
