package interop_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestOneLine has programs of both wait for a lock that the other one holds, in the order in
// which they came, and takes over from one that dies.
func TestOneLine(t *testing.T) {
	for _, first := range kinds {
		t.Run("after "+string(first), func(t *testing.T) {
			etcd := testkit.StartEtcd(t)
			c := etcd.Client(t)
			lock := peer.Lock{Address: etcd.Addr(), Name: "a/b", TTL: 5 * time.Second}
			inLine := func(n int64) {
				t.Helper()
				testkit.Eventually(t, 30*time.Second, "all are in line", func() bool {
					answer, err := c.Get(t.Context(), "/micro/sync/interop-a-b/", clientv3.WithPrefix(), clientv3.WithCountOnly())
					return err == nil && answer.Count == n
				})
			}
			holder := run(t, first, etcd.Addr(), "interop.lock.first")
			holder.do(peer.OpLock, lock, nil)
			got := make(chan kind, 2)
			waiting := map[kind]*program{}
			for i, k := range []kind{first.other(), first} {
				waiting[k] = run(t, k, etcd.Addr(), "interop.lock."+string(k))
				go func() {
					if err := waiting[k].try(peer.OpLock, lock, nil); err != nil {
						t.Error(err)
					}
					got <- k
				}()
				inLine(int64(i + 2))
			}
			if len(got) > 0 {
				t.Fatal("two hold the lock")
			}
			holder.do(peer.OpUnlock, lock, nil)
			if k := <-got; k != first.other() {
				t.Errorf("%s holds, who came later", k)
			}
			waiting[first.other()].crash()
			select {
			case <-got:
			case <-time.After(30 * time.Second):
				t.Error("nobody holds, after the holder died")
			}
		})
	}
}
