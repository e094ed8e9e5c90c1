package stats_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/debug/stats"
)

func TestCounts(t *testing.T) {
	s := stats.NewStats()
	var counting sync.WaitGroup
	for range 4 {
		counting.Go(func() {
			for i := range 100 {
				var err error
				if i%10 == 0 {
					err = errors.New("no")
				}
				if err := s.Record(err); err != nil {
					t.Error(err)
				}
			}
		})
	}
	counting.Wait()
	all, err := s.Read()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d stats, %v", len(all), err)
	}
	now := all[0]
	if now.Requests != 400 || now.Errors != 40 || now.Started == 0 || now.Timestamp < now.Started || now.Memory == 0 || now.Threads == 0 {
		t.Errorf("got %+v", now)
	}
}

func TestWrittenStatsComeBeforeThoseOfNow(t *testing.T) {
	s := stats.NewStats()
	for i := range 70 {
		if err := s.Write(&stats.Stat{Requests: uint64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Read()
	if err != nil || len(all) != 61 || all[0].Requests != 10 || all[60].Requests != 0 || all[60].Started == 0 {
		t.Errorf("%d stats, %v", len(all), err)
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	s, wrong := stats.NewStats(), errors.New("no")
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Record(nil), s.Record(wrong) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func Example() {
	s := stats.NewStats()
	_ = s.Record(nil)
	_ = s.Record(errors.New("no such parcel"))
	all, err := s.Read()
	if err != nil {
		fmt.Println(err)
	}
	now := all[len(all)-1]
	fmt.Println(now.Requests, "requests,", now.Errors, "failed")
	// Output: 2 requests, 1 failed
}
