package http_test

import (
	"io"
	"testing"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/broker/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// The registry is what lies between brokers that have no server: subscriptions that are
// known are published to while it is away, and are registered again when it is back.
func TestSuiteInEtcd(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for an etcd that is away")
	}
	t.Parallel()
	brokertest.Faults(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Confirms: true, Heals: true},
		New: func(t *testing.T) brokertest.Harness {
			server := testkit.StartEtcd(t)
			return brokertest.Harness{
				Open: func(opts ...broker.Option) broker.Broker {
					r := etcd.NewRegistry(registry.Addrs(server.Addr()))
					t.Cleanup(func() {
						if err := r.(io.Closer).Close(); err != nil {
							t.Errorf("close the registry: %v", err)
						}
					})
					return http.NewBroker(append([]broker.Option{broker.Registry(r), broker.Addrs("127.0.0.1:0")}, opts...)...)
				},
				Faults: []brokertest.Fault{
					{Name: "killed", Begin: func(*testing.T) { server.Kill() }, End: func(t *testing.T) { server.Restart(t) }},
					{Name: "frozen", Begin: func(t *testing.T) { server.Freeze(t) }, End: func(t *testing.T) { server.Thaw(t) }},
					{Name: "emptied", Begin: func(*testing.T) { server.Wipe() }, End: func(t *testing.T) { server.Restart(t) }},
				},
			}
		},
	})
}
