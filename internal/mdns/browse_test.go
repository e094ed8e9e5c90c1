package mdns

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestFirstLookWaitsForAnswersAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		began := time.Now()
		b.browse(t, "s")
		if took := time.Since(began); took != Settling {
			t.Errorf("the first look took %v, want %v after an answer that comes at once", took, Settling)
		}
		if got := b.knows(t, "s"); got != "s/a@10.0.0.1:80" {
			t.Errorf("found %q", got)
		}
		began = time.Now()
		b.browse(t, "s")
		if took := time.Since(began); took != 0 {
			t.Errorf("the second look took %v", took)
		}
	})
}

func TestFirstLookAsksTwiceForWhatNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		began := time.Now()
		h.browse(t, "s")
		if took := time.Since(began); took != Absent {
			t.Errorf("it took %v, want %v", took, Absent)
		}
		if asked := matching(net.take(), "s.micro.?"); len(asked) != 2 {
			t.Errorf("asked %q, want twice", asked)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		release, err := h.Use(ctx, "t")
		release()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with less time: %v", err)
		}
	})
}

// A packet of the first question gets lost; the second finds the node within the
// same look.
func TestFirstLookOutlivesALostPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		lost := 0
		net.lost = func(from *member, _ []byte) bool { lost++; return from == b.member && lost == 1 }
		b.browse(t, "s")
		if got := b.knows(t, "s"); got != "s/a@10.0.0.1:80" {
			t.Errorf("found %q", got)
		}
	})
}

// A node that leaves while others are waited for is not the answer.
func TestFirstLookOutlivesANodeThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		b.browse(t, "t") // it hears what comes from now on
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		testkit.Elapse(t, 10*time.Second)
		leaver := service("s", "b", "10.0.0.2:80")
		b.publish(t, leaver)
		lost := 0
		net.lost = func(from *member, packet []byte) bool {
			if from == b.member && strings.Contains(outline(packet), "s.micro.?") {
				lost++
			}
			return lost == 1
		}
		leaves := time.AfterFunc(Settling/2, func() { _ = b.Withdraw(leaver) })
		defer leaves.Stop()
		b.browse(t, "s")
		if got := b.knows(t, "s"); got != "s/a@10.0.0.1:80" {
			t.Errorf("found %q", got)
		}
	})
}

func TestBrowsingAsksLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		h.browse(t, "s")
		testkit.Elapse(t, 10*time.Minute)
		// At 0, 1, 3, 7, 15, 31, 63 s, and then once a minute.
		if asked := matching(net.take(), "s.micro.?"); len(asked) != 15 {
			t.Errorf("asked %d times in 10 min: %q", len(asked), asked)
		}
	})
}

// Nodes that are known are not asked about again before half of their time is over,
// and nobody who knows them hears an answer.
func TestKnownAnswersAreNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		b.browse(t, "s")
		net.take()
		testkit.Elapse(t, TTL/2-5*time.Second) // two or three questions
		sent := net.take()
		if asked := matching(sent, "s.micro.? -> a.s.micro."); len(asked) == 0 {
			t.Errorf("no question says what is known: %q", sent)
		}
		if answers := matching(sent, "reply s.micro.?"); len(answers) != 0 {
			t.Errorf("what is known was answered: %q", answers)
		}
		testkit.Elapse(t, time.Hour)
		if got := b.knows(t, "s"); got != "s/a@10.0.0.1:80" {
			t.Errorf("after an hour %q is known", got)
		}
		if b.Stats()["records_expired"] != 0 {
			t.Error("a node that is there ran out")
		}
	})
}

func TestCrashedNodeRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		if err := a.Publish(service("s", "a", "10.0.0.1:80"), 15*time.Second); err != nil {
			t.Fatal(err)
		}
		b.browse(t, "s")
		var last time.Time
		stop, err := b.Observe("s", func(r *registry.Result) { last = time.Now() }, func() {})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		testkit.Elapse(t, 5*time.Second) // its announcements are over
		if err := a.Kill(); err != nil {
			t.Fatal(err)
		}
		net.take()
		killed := time.Now()
		testkit.Elapse(t, time.Minute)
		if got := b.knows(t, "s"); got != "" {
			t.Errorf("a minute later %q is known", got)
		}
		if gone := last.Sub(killed); gone <= 0 || gone > 15*time.Second {
			t.Errorf("it went %v after the crash, want within its TTL of 15 s", gone)
		}
		if !b.Expired(record.ID{Service: "s", Node: "a"}) {
			t.Error("followers would take it for deregistered")
		}
		if asked := matching(net.take(), "s.micro.?"); len(asked) < 4 {
			t.Errorf("before it went it was asked for %d times, want at 80, 85, 90 and 95 %% of its time", len(asked))
		}
	})
}

func TestGoodbye(t *testing.T) {
	for _, how := range []string{"withdrawn", "closed"} {
		synctest.Test(t, func(t *testing.T) {
			net := newSegment()
			a, b := net.host(t), net.host(t)
			s := service("s", "a", "10.0.0.1:80")
			a.publish(t, s)
			b.browse(t, "s")
			var err error
			if how == "closed" {
				err = a.Close()
			} else {
				err = a.Withdraw(s)
			}
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := b.knows(t, "s"); got != "" {
				t.Errorf("%s: %q is known", how, got)
			}
			if b.Expired(record.ID{Service: "s", Node: "a"}) {
				t.Errorf("%s: followers would take it for crashed", how)
			}
		})
	}
}

func TestListingFindsEveryService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b, c := net.host(t), net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		a.publish(t, service("t.u", "a", "10.0.0.1:81"))
		b.publish(t, service("s", "b", "10.0.0.2:80"))
		c.browse(t, "")
		if got, want := c.knows(t, ""), "s/a@10.0.0.1:80 s/b@10.0.0.2:80 t.u/a@10.0.0.1:81"; got != want {
			t.Errorf("found %q, want %q", got, want)
		}
		// What comes later comes at once.
		b.publish(t, service("v", "b", "10.0.0.2:82"))
		synctest.Wait()
		if got := c.knows(t, "v"); got != "v/b@10.0.0.2:82" {
			t.Errorf("found %q", got)
		}
	})
}

func TestWhatNobodyUsesIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		for _, name := range []string{"s", "none"} {
			release, err := b.Use(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		testkit.Elapse(t, UnseenKept+2*sweepEvery)
		b.Engine.mu.Lock()
		if b.browsed["none"] != nil || b.browsed["s"] == nil {
			t.Errorf("browsed are %v", b.browsed)
		}
		b.Engine.mu.Unlock()
		testkit.Elapse(t, Kept+2*sweepEvery)
		net.take()
		testkit.Elapse(t, time.Hour)
		if sent := net.take(); len(sent) != 0 {
			t.Errorf("an hour of nothing to do: %q", sent)
		}
		b.Engine.mu.Lock()
		defer b.Engine.mu.Unlock()
		if b.entries != 0 || b.weight != 0 || len(b.gone) != 0 {
			t.Errorf("left are %d nodes of %d bytes, %d departures", b.entries, b.weight, len(b.gone))
		}
	})
}

func TestNoMulticast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		e := New(Config{Domain: "micro", Host: "vm.", Open: func() (Transport, error) { tries++; return nil, ErrNoMulticast }})
		for range 100 {
			if err := e.Publish(service("s", "a", "10.0.0.1:80"), 0); !errors.Is(err, ErrNoMulticast) {
				t.Fatalf("publish: %v", err)
			}
			if _, err := e.Use(t.Context(), "s"); !errors.Is(err, ErrNoMulticast) {
				t.Fatalf("use: %v", err)
			}
		}
		if tries != 1 {
			t.Errorf("the sockets were opened %d times at once, want once a second", tries)
		}
		testkit.Elapse(t, openAgain)
		_ = e.Start()
		if tries != 2 {
			t.Errorf("a second later: %d times", tries)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Start(); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestLinksComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		h.publish(t, service("s", "a", "10.0.0.1:80"))
		h.browse(t, "t")
		testkit.Elapse(t, time.Hour)
		h.member.changes <- ErrNoMulticast
		synctest.Wait()
		if v, err := h.Look("s"); err != nil || !errors.Is(v.Down, ErrNoMulticast) || v.Since != time.Now() {
			t.Errorf("%+v, %v", v, err)
		}
		if err := h.Publish(service("s", "b", "10.0.0.1:81"), 0); !errors.Is(err, ErrNoMulticast) {
			t.Errorf("publish: %v", err)
		}
		net.take()
		h.member.changes <- nil
		synctest.Wait()
		sent := strings.Join(net.take(), "\n")
		if !strings.Contains(sent, "announce a.s.micro. at 10.0.0.1:80") || !strings.Contains(sent, "ask t.micro.?") {
			t.Errorf("on a link that came: %s", sent)
		}
		if v, err := h.Look("s"); err != nil || v.Down != nil {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
