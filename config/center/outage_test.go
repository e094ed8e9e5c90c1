package center

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// outage breaks the way to etcd while a release of 20 keys is made.
type outage struct {
	t         *testing.T
	proxy     *testkit.Proxy
	c, direct *Center // by way of the proxy, and past it
	n         int     // the value of the last release
}

// edits are those of the next release, all of the same value.
func (o *outage) edits() (all []Edit) {
	o.n++
	for k := range 20 {
		all = append(all, Put(fmt.Sprintf("k%02d", k), fmt.Sprint(o.n)))
	}
	return all
}

// release begins the next one.
func (o *outage) release(ctx context.Context) <-chan error {
	ended, edits := make(chan error, 1), o.edits()
	go func() {
		_, err := o.c.Release(ctx, Draft{Who: "ada", Edits: edits})
		ended <- err
	}()
	return ended
}

// whole checks that the last release is there with its record or not at all, and that
// what was said of it is true.
func (o *outage) whole(what string, err error) {
	o.t.Helper()
	got := tree(o.t, o.direct)
	for _, value := range got {
		if value != got["k00"] || len(got) != 20 {
			o.t.Fatalf("%s: half of a release is there: %v", what, got)
		}
	}
	there := got["k00"] == fmt.Sprint(o.n)
	if err == nil && !there || err != nil && !errors.Is(err, ErrUncertain) && there {
		o.t.Errorf("%s: it is there: %v, and the answer was %v", what, there, err)
	}
	folds(o.t, o.direct)
}

// TestEtcdGoneInTheMiddle breaks the connection at every stage of a release: each is
// there with its record as a whole, or not at all, and nobody is told a lie.
func TestEtcdGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, e.Addr())
	o := &outage{t: t, proxy: proxy, c: open(t, proxy.Addr(), ""), direct: open(t, e.Addr(), "")}
	release(t, o.c, o.edits()...)
	o.whole("at rest", nil)

	// The answer is lost, and the record tells that the release was made.
	for _, restored := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		proxy.Delay(500 * time.Millisecond)
		ended := o.release(ctx)
		testkit.Eventually(t, patience, "the release is there", func() bool { return tree(t, o.direct)["k00"] == fmt.Sprint(o.n) })
		proxy.Cut() // while the answer is under way
		if restored {
			proxy.Restore(t)
			if err := <-ended; err != nil {
				t.Errorf("the answer alone was lost: %v", err)
			}
		} else {
			cancel()
			if err := <-ended; !errors.Is(err, ErrUncertain) {
				t.Errorf("etcd was away when it was asked for the record: %v", err)
			}
			proxy.Restore(t)
		}
		cancel()
		o.whole("answer lost", ErrUncertain)
		release(t, o.c, o.edits()...) // the connection is there again
	}

	// At moments all over a release, which takes some 240 ms with the delay.
	for i := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		proxy.Delay(40 * time.Millisecond)
		ended := o.release(ctx)
		moment := time.NewTimer(time.Duration(i) * 40 * time.Millisecond)
		var err error
		select {
		case err = <-ended:
		case <-moment.C:
			if i%2 == 0 {
				proxy.Cut()
			} else {
				proxy.Drop()
			}
			err = <-ended
		}
		moment.Stop()
		cancel()
		proxy.Restore(t)
		o.whole(fmt.Sprintf("moment %d: %v", i, err), err)
		release(t, o.c, o.edits()...)
	}
}
