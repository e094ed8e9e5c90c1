package interop_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// Row D7 in a mixed fleet: what is left of a call's time is handed on by both frameworks,
// whether it is more or less than the 5 s that either allows by itself.
func TestD7DeadlinesThroughBoth(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	store := storeOf(t, etcd)
	programs := map[kind]*program{}
	name := func(k kind, hop string) string { return "interop.relay." + string(k) + "." + hop }
	for _, k := range kinds {
		p := run(t, k, etcd.Addr(), "interop.relay."+string(k))
		programs[k] = p
		for _, hop := range []string{"first", "last"} {
			p.start(peer.Service{Name: name(k, hop), ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second, Relay: true})
			store.there(name(k, hop), name(k, hop)+"-one")
		}
	}
	for _, k := range kinds {
		for _, allowed := range []time.Duration{4 * time.Second, time.Minute} {
			t.Run(fmt.Sprintf("%s, %s, %s, %v", k, k.other(), k, allowed), func(t *testing.T) {
				body, err := json.Marshal(map[string]any{"services": []string{name(k.other(), "first"), name(k, "last")}})
				if err != nil {
					t.Fatal(err)
				}
				answer, err := programs[k].call(peer.Call{
					Service: name(k, "first"), Endpoint: "Relay.Pass", ContentType: "application/json", Body: body, Timeout: allowed,
				})
				if err != nil {
					t.Fatal(err)
				}
				var got struct{ Left time.Duration }
				if err := json.Unmarshal(answer, &got); err != nil {
					t.Fatal(err)
				}
				t.Logf("measured: %v left of %v after three hops", got.Left, allowed)
				if got.Left <= 0 || got.Left > allowed || allowed == time.Minute && got.Left < 30*time.Second {
					t.Errorf("the last service has %v, of %v", got.Left, allowed)
				}
			})
		}
	}
}
