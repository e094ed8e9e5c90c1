package percentile

import (
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestBucketsFollowOneAnother(t *testing.T) {
	before := -1
	for us := range 1 << 20 {
		d := time.Duration(us) * time.Microsecond
		i := bucketOf(d)
		if i < before || i > before+1 {
			t.Fatalf("%v is in bucket %d, after %d", d, i, before)
		}
		if d >= upper(i) || upper(i)-d > d/steps+time.Microsecond {
			t.Fatalf("%v is in a bucket up to %v", d, upper(i))
		}
		before = i
	}
	for _, d := range []time.Duration{-1, 0, time.Hour, 1 << 62} {
		if i := bucketOf(d); i < 0 || i >= buckets {
			t.Errorf("%v is in bucket %d", d, i)
		}
	}
}

func TestEstimate(t *testing.T) {
	var e Estimator
	for range enough - 1 {
		e.Note(time.Millisecond)
	}
	if d, ok := e.Of(95); ok {
		t.Fatalf("%v after too few", d)
	}
	for i := range 10_000 {
		d := 10 * time.Millisecond
		if i%10 == 0 {
			d = time.Second
		}
		e.Note(d)
	}
	for percent, want := range map[float64]time.Duration{50: 10 * time.Millisecond, 85: 10 * time.Millisecond, 95: time.Second, 99: time.Second} {
		if d, ok := e.Of(percent); !ok || d < want || d > want+want/steps {
			t.Errorf("%v %%: %v, %v, want %v", percent, d, ok, want)
		}
	}
}

func TestWhatIsLongAgoFades(t *testing.T) {
	var e Estimator
	for range 100_000 {
		e.Note(time.Second)
	}
	for range 10 * many {
		e.Note(time.Millisecond)
	}
	if d, ok := e.Of(95); !ok || d > 2*time.Millisecond {
		t.Errorf("%v, %v", d, ok)
	}
}

func TestConcurrentUse(t *testing.T) {
	var e Estimator
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5000 {
				e.Note(3 * time.Millisecond)
				e.Of(95)
			}
		})
	}
	wg.Wait()
	if d, ok := e.Of(95); !ok || d < 3*time.Millisecond || d > 4*time.Millisecond {
		t.Errorf("%v, %v", d, ok)
	}
}

func TestNotingCostsNoMemory(t *testing.T) {
	var e Estimator
	if n := testing.AllocsPerRun(100, func() { e.Note(time.Second) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
