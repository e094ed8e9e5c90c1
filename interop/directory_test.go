package interop_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// listing is what the tests look at in what List and Get return.
type listing []struct {
	Name      string
	Version   string
	Endpoints []struct{ Name string }
	Nodes     []struct{ Id, Address string }
}

func (l listing) nodes() (ids []string) {
	for _, s := range l {
		for _, n := range s.Nodes {
			ids = append(ids, n.Id)
		}
	}
	slices.Sort(ids)
	return ids
}

// TestDirectory lets each framework read what the other has written, and compares
// that with what it reads itself.
func TestDirectory(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, etcdKind testkit.Kind) {
		etcd := testkit.StartEtcd(t, testkit.OfKind(etcdKind))
		programs := make(map[kind]*program)
		for _, k := range kinds {
			p := run(t, k, etcd.Addr(), "interop."+string(k))
			p.start(peer.Service{
				Name: service, ID: string(k), Version: "1", Metadata: map[string]string{"zone": "服务", "by": string(k)},
				TTL: 10 * time.Second, Interval: 3 * time.Second, Counter: false,
			})
			storeOf(t, etcd).there(service, service+"-"+string(k))
			programs[k] = p
		}
		want := []string{service + "-ours", service + "-v2"}
		texts := make(map[kind][]json.RawMessage)
		for k, p := range programs {
			for _, op := range []string{peer.OpGet, peer.OpList} {
				var text json.RawMessage
				p.do(op, peer.Name{Name: service}, &text)
				texts[k] = append(texts[k], text)
				var got listing
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatal(err)
				}
				if len(got) != 1 || got[0].Name != service || got[0].Version != "1" || !slices.Equal(got.nodes(), want) {
					t.Errorf("%s: %s yields %s, want one version with both nodes", k, op, text)
				}
				if len(got) > 0 && len(got[0].Endpoints) != 5 {
					t.Errorf("%s: %s yields %d endpoints, want 5", k, op, len(got[0].Endpoints))
				}
			}
		}
		for i := range texts[v2] {
			if !sameJSON(t, string(texts[v2][i]), string(texts[ours][i])) {
				t.Errorf("v2 reads\n%s\nours reads\n%s", texts[v2][i], texts[ours][i])
			}
		}
		for k, p := range programs {
			var e *peer.Error
			if err := p.try(peer.OpGet, peer.Name{Name: "nobody"}, nil); !errors.As(err, &e) || e.Text != "service not found" {
				t.Errorf("%s: get of an unknown name: %v", k, err)
			}
		}
	})
}

// TestWatch lets each framework watch the other's service come and go.
func TestWatch(t *testing.T) {
	for _, k := range kinds {
		t.Run(string(k)+" watches "+string(k.other()), func(t *testing.T) {
			etcd := testkit.StartEtcd(t)
			server := run(t, k.other(), etcd.Addr(), "interop.server")
			watcher := run(t, k, etcd.Addr(), "interop.watcher")
			next := map[string]func(time.Duration) (peer.Event, error){
				"the service": watcher.watch(service),
				"everything":  watcher.watch(""),
			}
			expect := func(within time.Duration, action string) {
				t.Helper()
				for what, next := range next {
					e, err := next(within)
					if err != nil {
						t.Fatalf("watching %s: %v, want %s within %v", what, err, action, within)
					}
					var s listing
					if err := json.Unmarshal(append(append([]byte("["), e.Service...), ']'), &s); err != nil {
						t.Fatal(err)
					}
					if e.Action != action || s[0].Name != service || !slices.Equal(s.nodes(), []string{service + "-one"}) {
						t.Errorf("watching %s: %s of %s, want %s", what, e.Action, e.Service, action)
					}
				}
			}
			server.start(peer.Service{Name: service, ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second})
			expect(replyTimeout, "create")
			server.stop(service)
			if k == v2 {
				// Ours says in its record that it leaves. v2 sees a record that has changed,
				// and takes no notice of what changed.
				expect(time.Second, "update")
			}
			expect(time.Second, "delete")
		})
	}
}
