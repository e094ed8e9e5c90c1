package center

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestEtcdGoneInTheMiddle breaks the connection while releases are made: each is there
// with its record as a whole, or not at all, and nobody is told a lie.
func TestEtcdGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, e.Addr())
	c, direct := open(t, proxy.Addr(), ""), open(t, e.Addr(), "")
	edits := func(n int) (all []Edit) {
		for k := range 20 {
			all = append(all, Put(fmt.Sprintf("k%02d", k), fmt.Sprint(n)))
		}
		return all
	}
	whole := func(what string, err error, n int) {
		t.Helper()
		got := tree(t, direct)
		for _, value := range got {
			if value != got["k00"] || len(got) != 20 {
				t.Fatalf("%s: half of a release is there: %v", what, got)
			}
		}
		there := got["k00"] == fmt.Sprint(n)
		if err == nil && !there || err != nil && !errors.Is(err, ErrUncertain) && there {
			t.Errorf("%s: it is there: %v, and the answer was %v", what, there, err)
		}
		folds(t, direct)
	}

	release(t, c, edits(0)...)
	whole("at rest", nil, 0)

	for i := range 9 {
		n, ended := i+1, make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		sent := proxy.Sent()
		go func() {
			_, err := c.Release(ctx, Draft{Who: "ada", Edits: edits(n)})
			ended <- err
		}()
		// The reads send little, the transaction more than 2 kB: it goes on its way
		// somewhere in here.
		testkit.Eventually(t, patience, "something is sent", func() bool { return proxy.Sent() > sent+int64(i*400) || len(ended) > 0 })
		switch i % 3 {
		case 0:
			proxy.Cut()
		case 1:
			proxy.HalfOpen()
		default:
			proxy.Drop()
		}
		select {
		case <-ctx.Done():
		case err := <-ended:
			ended <- err
		}
		proxy.Restore(t)
		err := <-ended
		cancel()
		whole(fmt.Sprintf("break %d", i), err, n)
	}
}
