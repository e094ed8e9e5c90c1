package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// pairs is an Observer of /v/ and /g/ that wants both to say the same after each Change.
type pairs struct {
	*recorder
	t *testing.T
}

func (p pairs) Change(c Change) {
	p.recorder.Change(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, g := string(p.keys["/v/n"].Value), string(p.keys["/g/n"].Value); v != g {
		p.t.Errorf("at revision %d /v/ has %q and /g/ has %q", c.Revision, v, g)
	}
}

// TestOneRevisionOfTwoPrefixesIsOneChange writes now below both prefixes at once, now
// below one of them alone, while the connection is cut and history is compacted.
func TestOneRevisionOfTwoPrefixesIsOneChange(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		client, proxy := e.Client(t), testkit.StartProxy(t, e.Addr())
		c := open(t, etcd.Config{Addrs: []string{proxy.Addr()}})
		r := pairs{newRecorder(t), t}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := Follow(ctx, c, Prefix("/v/", "/g/"), r); err != nil {
				t.Errorf("mirror ended: %v", err)
			}
		})
		t.Cleanup(func() { cancel(); running.Wait() })
		r.awaitLive(t)
		// A third watch over the same stream hears what this one asks for.
		other, _ := following(t, c, "/v/")
		other.awaitLive(t)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		alone := 0
		for i := range 300 {
			switch {
			case i%100 == 40:
				proxy.Cut()
			case i%100 == 60:
				e.Compact(t)
				proxy.Restore(t)
			}
			both := []clientv3.Op{clientv3.OpPut("/v/n", fmt.Sprint(i)), clientv3.OpPut("/g/n", fmt.Sprint(i))}
			if random.IntN(5) == 0 {
				both = []clientv3.Op{clientv3.OpDelete("/v/n"), clientv3.OpDelete("/g/n")}
			}
			random.Shuffle(2, func(i, j int) { both[i], both[j] = both[j], both[i] })
			if _, err := client.Txn(t.Context()).Then(both...).Commit(); err != nil {
				t.Fatal(err)
			}
			if random.IntN(3) == 0 {
				alone = i
				put(t, client, []string{"/v/alone", "/g/alone"}[random.IntN(2)], fmt.Sprint(i))
			}
		}
		put(t, client, "/v/alone", fmt.Sprint(alone))
		put(t, client, "/g/alone", "end")
		if _, err := client.Txn(t.Context()).Then(clientv3.OpPut("/v/n", "end"), clientv3.OpPut("/g/n", "end")).Commit(); err != nil {
			t.Fatal(err)
		}
		r.await(t, soon, fmt.Sprintf("/v/n=end /g/n=end /v/alone=%d /g/alone=end", alone), "/v/n", "/g/n", "/v/alone", "/g/alone")
		other.await(t, soon, fmt.Sprintf("/v/n=end /v/alone=%d", alone), "/v/n", "/v/alone")
		r.awaitLive(t)
	})
}

// A change below one prefix alone is told as soon as etcd says that there is none below
// the other.
func TestAPrefixInWhichNothingHappensHoldsNothingUp(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := open(t, etcd.Config{Addrs: []string{e.Addr()}})
	r := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = Follow(ctx, c, Prefix("/v/", "/g/", "/h/"), r) })
	t.Cleanup(func() { cancel(); running.Wait() })
	r.awaitLive(t)
	begun := time.Now()
	const writes = 200
	for i := range writes {
		put(t, client, "/v/n", fmt.Sprint(i))
		r.await(t, soon, fmt.Sprintf("/v/n=%d", i), "/v/n")
	}
	t.Logf("%v from a write to its change", time.Since(begun)/writes)
	if n := len(r.seen()); n != writes+1 {
		t.Errorf("%d changes for %d writes and a listing", n, writes)
	}
}
