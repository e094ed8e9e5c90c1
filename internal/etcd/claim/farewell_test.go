package claim

import (
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// A key is deleted by us with a farewell, also for a pause, and by others without.
func TestClaimFarewell(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		b := newSite(t, testkit.OfKind(kind))
		var mu sync.Mutex
		var seen []string
		story := func() string {
			mu.Lock()
			defer mu.Unlock()
			return strings.Join(seen, " ")
		}
		events := b.eyes.Watch(testContext(t, time.Minute), testKey)
		go func() {
			for resp := range events {
				mu.Lock()
				for _, e := range resp.Events {
					if e.Type == clientv3.EventTypeDelete {
						seen = append(seen, "deleted")
					} else {
						seen = append(seen, string(e.Kv.Value))
					}
				}
				mu.Unlock()
			}
		}()
		s := spec(testKey, "v")
		s.Farewell = bye
		cl := b.held(s)
		b.put(testPause, "{}")
		testkit.Eventually(t, 5*time.Second, "paused with a farewell", func() bool { return story() == "v bye deleted" })
		b.delete(testPause)
		testkit.Eventually(t, 5*time.Second, "resumed", func() bool { return story() == "v bye deleted v" })
		b.delete(testKey)
		testkit.Eventually(t, 5*time.Second, "put back", func() bool { return story() == "v bye deleted v deleted v" })
		if err := cl.Release(testContext(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 5*time.Second, "released with a farewell", func() bool { return story() == "v bye deleted v deleted v bye deleted" })
	})
}
