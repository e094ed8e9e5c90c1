package breaker

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
)

var errDown = errors.New("go.micro.client", "connection refused", 503)

func TestWhatCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		err       error
		failed    bool
		cancelled bool
	}{
		"success":                      {err: nil},
		"bad request":                  {err: errors.BadRequest("id", "no")},
		"not found":                    {err: errors.NotFound("id", "no")},
		"too many requests":            {err: errors.New("id", "no", 429)},
		"a server's 408":               {err: errors.Timeout("id", "no")},
		"500":                          {err: errors.InternalServerError("id", "no"), failed: true},
		"503":                          {err: errDown, failed: true},
		"wrapped":                      {err: fmt.Errorf("call: %w", errDown), failed: true},
		"no code":                      {err: stderrors.New("connection refused"), failed: true},
		"no answer in time":            {err: errors.Wrap("id", "late", 408, context.DeadlineExceeded), failed: true},
		"the caller gave up":           {err: errors.Wrap("id", "gone", 408, context.Canceled), cancelled: true},
		"the caller gave up with 500":  {err: errors.Wrap("id", "gone", 500, context.Canceled), cancelled: true},
		"a text that is one of ours":   {err: stderrors.New(`{"id":"x","code":404,"detail":"no"}`)},
		"a text of ours with code 500": {err: stderrors.New(`{"id":"x","code":500,"detail":"no"}`), failed: true},
	} {
		if failed, cancelled := Failed(tc.err), Cancelled(tc.err); failed != tc.failed || cancelled != tc.cancelled {
			t.Errorf("%s: failed %t, cancelled %t", name, failed, cancelled)
		}
	}
}

func group(s gobreaker.Settings) *Group { return NewGroup(func(Key) gobreaker.Settings { return s }) }

// call makes one call that ends with err, and reports whether it was let through.
func call(b *Breaker, err error) bool {
	rejected, _ := b.Do(func() error { return err })
	return !rejected
}

// TestLife opens a circuit, sees it refuse, lets one probe through at a time and closes it.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []string
		b := group(gobreaker.Settings{
			Timeout: 10 * time.Second,
			OnStateChange: func(name string, from, to gobreaker.State) {
				changes = append(changes, fmt.Sprint(name, " ", from, ">", to))
			},
		}).Of(Key{Service: "greeter", Address: "10.0.0.1:80"})
		for range 5 {
			call(b, errDown)
		}
		call(b, errors.NotFound("id", "no")) // an answer: the failures are not in a row
		for range 5 {
			call(b, errDown)
		}
		for range 20 {
			call(b, errors.Wrap("id", "gone", 408, context.Canceled)) // neither
		}
		if b.Open() {
			t.Fatal("the circuit is open after five failures in a row")
		}
		call(b, errDown)
		if !b.Open() || call(b, nil) {
			t.Fatal("the circuit is closed after six failures in a row")
		}
		time.Sleep(4 * time.Second)
		_, why := b.Do(func() error { return nil })
		err := b.Error("greeter", "", why, nil)
		if e := errors.FromError(err); e.Code != 502 || e.Id != "greeter" || !stderrors.Is(err, gobreaker.ErrOpenState) ||
			e.Detail != `circuit breaker is open: "greeter@10.0.0.1:80" failed and is not called for another 6s` {
			t.Errorf("the error of an open circuit: %v", err)
		}

		time.Sleep(6*time.Second + time.Millisecond)
		probing, done := make(chan struct{}), make(chan error)
		go func() {
			_, err := b.Do(func() error { close(probing); return <-done })
			done <- err
		}()
		<-probing
		rejected, why := b.Do(func() error { return nil })
		if err := b.Error("greeter", "", why, nil); !rejected || !stderrors.Is(err, gobreaker.ErrTooManyRequests) || !strings.Contains(err.Error(), "tried by another call") {
			t.Errorf("a second probe: %t, %v", rejected, err)
		}
		done <- errDown
		<-done
		if !b.Open() {
			t.Error("the circuit is closed after a probe that failed")
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if !call(b, errors.Wrap("id", "gone", 408, context.Canceled)) || !call(b, nil) || !call(b, nil) {
			t.Error("a probe that its caller cancelled is in the way of another")
		}
		if want := "[greeter@10.0.0.1:80 closed>open greeter@10.0.0.1:80 open>half-open greeter@10.0.0.1:80 half-open>open greeter@10.0.0.1:80 open>half-open greeter@10.0.0.1:80 half-open>closed]"; fmt.Sprint(changes) != want {
			t.Errorf("changes %v", changes)
		}
	})
}

func TestAPanicCountsAndGoesOn(t *testing.T) {
	b := group(gobreaker.Settings{ReadyToTrip: func(c gobreaker.Counts) bool { return c.TotalFailures > 0 }}).Of(Key{Service: "greeter"})
	func() {
		defer func() {
			if v := recover(); v != "boom" {
				t.Errorf("recovered %v", v)
			}
		}()
		_, _ = b.Do(func() error { panic("boom") })
	}()
	if !b.Open() {
		t.Error("a panic did not count")
	}
}

// TestBreakersOfNodesThatWentAreForgotten has nodes come and go for days.
func TestBreakersOfNodesThatWentAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group(gobreaker.Settings{Timeout: 24 * time.Hour})
		kept, down := Key{Service: "greeter", Address: "stays"}, Key{Service: "greeter", Address: "down"}
		for range 6 {
			call(g.Of(down), errDown)
		}
		was := g.Of(kept)
		for i := range 1000 {
			call(g.Of(Key{Service: "greeter", Address: fmt.Sprint(i)}), nil)
			call(g.Of(kept), nil)
			time.Sleep(time.Minute)
		}
		if n := len(g.all); n > 25 {
			t.Errorf("%d breakers", n)
		}
		if g.Of(kept) != was {
			t.Error("a breaker in use was forgotten")
		}
		if !g.Of(down).Open() {
			t.Error("an open breaker was forgotten")
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	g := group(gobreaker.Settings{Timeout: time.Nanosecond})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				b := g.Of(Key{Service: fmt.Sprint(j % 7)})
				err := error(nil)
				if (i+j)%3 == 0 {
					err = errDown
				}
				if rejected, why := b.Do(func() error { return err }); rejected {
					_ = b.Error("x", "", why, nil)
				}
			}
		})
	}
	wg.Wait()
	if len(g.all) != 7 {
		t.Errorf("%d breakers for 7 services", len(g.all))
	}
}

// failing is a stream that fails.
type failing struct {
	client.Stream
	err error
}

func (s failing) Recv(any) error   { return s.err }
func (s failing) Send(any) error   { return s.err }
func (s failing) CloseSend() error { return nil }

func TestAStreamCountsOnceIfItFails(t *testing.T) {
	var failures []uint32
	b := group(gobreaker.Settings{ReadyToTrip: func(c gobreaker.Counts) bool {
		failures = append(failures, c.TotalFailures)
		return false
	}}).Of(Key{Service: "greeter"})
	for _, err := range []error{io.EOF, errors.NotFound("id", "no"), errors.Wrap("id", "gone", 408, context.Canceled)} {
		_ = b.Watch(failing{err: err}).Recv(nil)
	}
	s := b.Watch(failing{err: errDown})
	if err := s.Recv(nil); err != errDown {
		t.Errorf("Recv returned %v", err)
	}
	_ = s.Send(nil)
	if len(failures) != 1 {
		t.Errorf("counted %v", failures)
	}
	if err := client.CloseSend(s); err != nil {
		t.Errorf("half-close: %v", err)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	g := group(gobreaker.Settings{})
	n := 0
	if allocs := testing.AllocsPerRun(1000, func() {
		_, _ = g.Of(Key{Service: "greeter", Endpoint: "Greeter.Hello"}).Do(func() error { n++; return nil })
	}); allocs > 0 {
		t.Errorf("a call through a breaker allocates %v times", allocs)
	}
}
