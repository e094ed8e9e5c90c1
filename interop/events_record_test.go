package interop_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// What programs of v2 see of a service with a subscriber is the same whoever it is: the
// subscriber is an endpoint, with its topic. The golden file is v2's own record.
func TestTheRecordOfASubscriber(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	reader := run(t, v2, etcd.Addr(), "interop.reader")
	for _, k := range kinds {
		name := "interop.record." + string(k)
		run(t, k, etcd.Addr(), "interop.subscriber").subscribe(peer.Subscription{Topic: "greetings", Service: name, Queue: "greeted"})
		var services []struct {
			Endpoints json.RawMessage `json:"endpoints"`
			Nodes     []struct {
				Metadata map[string]string `json:"metadata"`
			} `json:"nodes"`
		}
		testkit.Eventually(t, 20*time.Second, "v2 finds "+name, func() bool {
			return reader.try(peer.OpGet, peer.Name{Name: name}, &services) == nil && len(services) == 1
		})
		if broker := services[0].Nodes[0].Metadata["broker"]; broker != "http" {
			t.Errorf("the broker of a service of %s is %q", k, broker)
		}
		golden(t, "subscriber", string(services[0].Endpoints)+"\n")
	}
}
