package fleet

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
)

// slowCall is from when on a call counts as slow.
const slowCall = 100 * time.Millisecond

// Load is callers of a service, each of which makes one call after the other.
type Load struct {
	calls, failed, slow, longest atomic.Int64
	first                        atomic.Pointer[error]
	end                          func()
}

// StartLoad starts callers of Echo.Say, each of which calls every so often, or
// without a pause if every is 0, until the end of the test at the latest.
func StartLoad(t testing.TB, c client.Client, service string, callers int, every time.Duration, opts ...client.CallOption) *Load {
	t.Helper()
	l := startLoad(c, service, callers, every, opts)
	t.Cleanup(l.Stop)
	return l
}

func startLoad(c client.Client, service string, callers int, every time.Duration, opts []client.CallOption) *Load {
	l := &Load{}
	ctx, cancel := context.WithCancel(context.Background())
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() {
			for ctx.Err() == nil {
				l.call(c, service, opts)
				if every > 0 {
					wait(ctx, every)
				}
			}
		})
	}
	l.end = sync.OnceFunc(func() { cancel(); calling.Wait() })
	return l
}

// call makes one call. It has a context of its own: a call that would be cut off by
// the end of the load has not failed.
func (l *Load) call(c client.Client, service string, opts []client.CallOption) {
	began := time.Now()
	err := Say(context.Background(), c, service, opts...)
	took := time.Since(began)
	l.calls.Add(1)
	if took > slowCall {
		l.slow.Add(1)
	}
	for {
		longest := l.longest.Load()
		if int64(took) <= longest || l.longest.CompareAndSwap(longest, int64(took)) {
			break
		}
	}
	if err != nil {
		l.failed.Add(1)
		l.first.CompareAndSwap(nil, &err)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Stop ends the load, once the calls under way have ended.
func (l *Load) Stop() { l.end() }

// Calls returns how many calls have ended.
func (l *Load) Calls() int { return int(l.calls.Load()) }

// Failed returns how many of them failed.
func (l *Load) Failed() int { return int(l.failed.Load()) }

// Err returns the first failure, nil if there was none.
func (l *Load) Err() error {
	if err := l.first.Load(); err != nil {
		return *err
	}
	return nil
}

// morePatience is what More waits for each call, beside watchPatience.
const morePatience = 10 * time.Millisecond

// More waits for n more calls.
func (l *Load) More(t testing.TB, n int) {
	t.Helper()
	from := l.Calls()
	within := watchPatience + time.Duration(n)*morePatience
	testkit.Eventually(t, within, fmt.Sprintf("%d calls are made", n), func() bool { return l.Calls() >= from+n })
}

// String says what became of the calls.
func (l *Load) String() string {
	return fmt.Sprintf("%d calls, %d failed, %d took over %v, the longest %v",
		l.Calls(), l.Failed(), l.slow.Load(), slowCall, time.Duration(l.longest.Load()).Round(time.Millisecond))
}
