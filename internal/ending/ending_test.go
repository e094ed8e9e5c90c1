package ending_test

import (
	"errors"
	"testing"

	"github.com/rollcall-go/micro/internal/ending"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestEnding(t *testing.T) {
	e := ending.New()
	calls := 0
	e.Then(func() { calls++ })
	status := e.Status()
	if e.Err() != nil || calls != 0 || len(status) != 0 {
		t.Fatal("it is over before its end")
	}
	first := errors.New("first")
	if !e.End(first) || e.End(errors.New("second")) || e.Err() != first {
		t.Errorf("it is over because of %v", e.Err())
	}
	<-e.Done()
	e.Then(func() { calls++ })
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
	for _, c := range []chan bool{status, e.Status()} {
		if v, ok := <-c; !v || !ok {
			t.Error("the status says no")
		}
		if _, ok := <-c; ok {
			t.Error("the status is not closed")
		}
	}
}
