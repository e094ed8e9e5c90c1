package endpoint

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// measured returns a Load with a clock of its own.
func measured() *Load {
	l := &Load{}
	l.Measure(NewClock())
	return l
}

func TestLoadCounts(t *testing.T) {
	l := measured()
	a, b := l.Begin(), l.Begin()
	l.Enter()
	if n := l.InFlight(); n != 3 {
		t.Errorf("%d in flight of 3", n)
	}
	a.End(nil)
	b.End(errors.New("no"))
	l.Leave()
	if n, begun := l.InFlight(), l.Begun(); n != 0 || begun != 3 {
		t.Errorf("%d in flight of 0, %d begun of 3", n, begun)
	}
}

func TestLoadCountsFromManyGoroutines(t *testing.T) {
	l := measured()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				l.Begin().End(nil)
			}
		})
	}
	wg.Wait()
	if n, begun := l.InFlight(), l.Begun(); n != 0 || begun != 8000 {
		t.Errorf("%d in flight, %d begun", n, begun)
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := measured()
		call := func(takes time.Duration, err error) {
			for range sampleEvery { // one of them has its time taken
				s := l.Begin()
				time.Sleep(takes)
				s.End(err)
			}
		}
		now := func() time.Duration { return l.clock.Read() }
		call(8*time.Millisecond, nil)
		if got := l.Latency(now()); got != 8*time.Millisecond {
			t.Errorf("after one sample: %v", got)
		}
		call(80*time.Millisecond, nil)
		if got := l.Latency(now()); got != 44*time.Millisecond {
			t.Errorf("it does not rise quickly: %v", got)
		}
		call(time.Millisecond, status.Error(codes.NotFound, ""))
		if got := l.Latency(now()); got != 44*time.Millisecond {
			t.Errorf("an error lowered it: %v", got)
		}
		call(4*time.Millisecond, nil)
		if got := l.Latency(now()); got != 39*time.Millisecond {
			t.Errorf("it does not fall slowly: %v", got)
		}
		time.Sleep(2 * coolDown)
		if got := l.Latency(now()); got > 10*time.Millisecond {
			t.Errorf("nothing was forgotten: %v", got)
		}
		call(time.Second, status.Error(codes.DeadlineExceeded, ""))
		if got := l.Latency(now()); got < 100*time.Millisecond {
			t.Errorf("a call that ran out of time says nothing: %v", got)
		}
	})
}

// TestRefusalsDoNotMakeANodeLookQuick: whoever chooses by latency would give it all calls.
func TestRefusalsDoNotMakeANodeLookQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := func(l *Load, code codes.Code) {
			for range 60 * sampleEvery {
				s := l.Begin()
				time.Sleep(time.Millisecond)
				s.End(status.Error(code, ""))
				time.Sleep(time.Second / sampleEvery)
			}
		}
		for _, code := range []codes.Code{codes.Internal, codes.ResourceExhausted, codes.Unavailable, codes.Canceled} {
			unknown, known := measured(), measured()
			refuse(unknown, code)
			if got := unknown.Latency(unknown.Now()); got != 0 {
				t.Errorf("%v: a node that never answered is held for one that takes %v", code, got)
			}
			known.Sample(20*time.Millisecond, known.clock.Read())
			refuse(known, code)
			if got := known.Latency(known.Now()); got != 20*time.Millisecond {
				t.Errorf("%v: after a minute of refusals a node of 20ms is held for one of %v", code, got)
			}
		}
	})
}

func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := measured()
		for range 100 { // what servers say never counts
			l.Begin().End(status.Error(codes.Internal, ""))
			l.Begin().End(status.Error(codes.Unavailable, ""))
		}
		if l.Ejected() != 0 {
			t.Fatal("errors of the program ejected the node")
		}
		l.Broke()
		l.Broke()
		l.Begin().End(status.Error(codes.NotFound, ""))
		if l.Broke() || l.Ejected() != 0 {
			t.Fatal("an answer in between did not count")
		}
		l.Broke()
		if !l.Broke() || l.Ejected() == 0 {
			t.Fatal("three breaks did not eject the node")
		}
		time.Sleep(ejectFirst)
		if l.Ejected() != 0 {
			t.Fatal("the node was not admitted again")
		}
		l.Broke()
		time.Sleep(ejectFirst)
		if l.Ejected() == 0 {
			t.Fatal("the second time is no longer than the first")
		}
		for range 100 {
			l.Broke()
		}
		time.Sleep(ejectMost)
		if l.Ejected() != 0 {
			t.Fatal("the time has no bound")
		}
		l.Begin().End(nil)
		l.Broke()
		if l.Broke() {
			t.Fatal("an answer was forgotten")
		}
	})
}

func TestLoadAllocatesNothing(t *testing.T) {
	l := measured()
	if n := testing.AllocsPerRun(1000, func() { l.Begin().End(nil) }); n != 0 {
		t.Errorf("%v allocations for a call", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	l := measured()
	for b.Loop() {
		l.Begin().End(nil)
	}
}
