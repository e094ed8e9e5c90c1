package doctor

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestOneNamespaceIsExamined(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	put(t, client, "/blue/micro/registry/s/broken", "nonsense", 0)
	put(t, client, "/blue/micro/rollcall/pause/s/n", `{}`, 0)
	cfg := etcd.Config{Addrs: []string{server.Addr()}, Timeout: 15 * time.Second}
	for namespace, want := range map[string]int{"blue": 1, "": 0, "green": 0} {
		all := Examine(t.Context(), cfg, layout.Layout{Namespace: namespace})
		if got := len(find(all, "node.paused")); got != want {
			t.Errorf("%q: %d nodes are paused, want %d: %+v", namespace, got, want, all)
		}
		broken := 0
		for _, f := range all {
			if f.Subject == "/blue/micro/registry/s/broken" {
				broken++
			}
		}
		if broken != want {
			t.Errorf("%q: %d broken records, want %d: %+v", namespace, broken, want, all)
		}
	}
}
