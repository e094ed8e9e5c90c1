package mdns

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		b.browse(t, "s")
		net.take()
		net.began = time.Now()
		s := service("s", "a", "10.0.0.1:80")
		a.publish(t, s)
		synctest.Wait()
		if got := b.knows(t, "s"); got != "s/a@10.0.0.1:80" {
			t.Errorf("at once %q is known", got)
		}
		testkit.Elapse(t, 10*time.Second)
		want := "0s announce a.s.micro. at 10.0.0.1:80 for 2m0s; 1s announce a.s.micro. at 10.0.0.1:80 for 2m0s; 3s announce a.s.micro. at 10.0.0.1:80 for 2m0s"
		if got := strings.Join(matching(net.take(), "announce"), "; "); got != want {
			t.Errorf("announced %s, want %s", got, want)
		}
		a.publish(t, s)
		testkit.Elapse(t, 10*time.Second)
		if got := matching(net.take(), "announce"); len(got) != 0 {
			t.Errorf("unchanged, and announced: %q", got)
		}
		a.publish(t, service("s", "a", "10.0.0.9:80"))
		synctest.Wait()
		if got := b.knows(t, "s"); got != "s/a@10.0.0.9:80" {
			t.Errorf("after a move %q is known", got)
		}
	})
}

// What a node sent before it left comes back afterwards.
func TestOwnPacketsThatComeBackLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		h.browse(t, "s")
		var events []string
		stop, err := h.Observe("", func(r *registry.Result) { events = append(events, r.Action) }, func() {})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		s := service("s", "a", "10.0.0.1:80")
		for range 3 {
			h.publish(t, s)
			if err := h.Withdraw(s); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Elapse(t, time.Minute)
		if got := strings.Join(events, " "); got != "create delete create delete create delete" {
			t.Errorf("observed %s", got)
		}
		if got := h.knows(t, "s"); got != "" {
			t.Errorf("%q is known", got)
		}
	})
}

func TestTwoNodesWithOneID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b, c := net.host(t), net.host(t), net.host(t)
		c.browse(t, "s")
		a.publish(t, service("s", "x", "10.0.0.1:80"))
		testkit.Elapse(t, time.Minute)
		b.publish(t, service("s", "x", "10.0.0.2:80"))
		testkit.Elapse(t, time.Second)
		for _, h := range []*host{a, b} {
			h.mu.Lock()
			if len(h.warned) != 1 || !strings.Contains(h.warned[0], `"x"`) || !strings.Contains(h.warned[0], "10.0.0.1:80") || !strings.Contains(h.warned[0], "10.0.0.2:80") {
				t.Errorf("warned %q", h.warned)
			}
			h.mu.Unlock()
		}
		if got := c.knows(t, "s"); got != "s/x@10.0.0.2:80" {
			t.Errorf("readers know %q, want the one that came last", got)
		}
	})
}

// Whoever asks while an engine says goodbye is told nothing that would bring a node
// back.
func TestNothingFollowsTheLastGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		a.publish(t, service("s", "a", "10.0.0.1:80"))
		b.browse(t, "s")
		question, err := query(1, "s.micro.", dnsmessage.TypePTR, nil)
		if err != nil {
			t.Fatal(err)
		}
		net.take()
		net.lost = func(from *member, packet []byte) bool {
			if strings.Contains(outline(packet), "for 0s") {
				before := a.Stats()["packets_received"]
				a.member.packets <- Packet{Data: question, From: netip.AddrPortFrom(b.member.addr, askPort), Link: 1}
				for i := 0; i < 10_000 && a.Stats()["packets_received"] == before; i++ {
					runtime.Gosched() // it may read the question, or not any more
				}
			}
			return false
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if sent := net.take(); len(sent) == 0 || !strings.Contains(sent[len(sent)-1], "for 0s") {
			t.Errorf("sent was %q, want the goodbye last", sent)
		}
		if got := b.knows(t, "s"); got != "" {
			t.Errorf("readers know %q", got)
		}
		if err := a.Publish(service("s", "a", "10.0.0.1:80"), 0); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A node that is started anew with its id announces itself before the former one says
// goodbye.
func TestSuccessorOutlivesAGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b, c := net.host(t), net.host(t), net.host(t)
		c.browse(t, "s")
		former := service("s", "x", "10.0.0.1:80")
		a.publish(t, former)
		testkit.Elapse(t, time.Minute)
		b.publish(t, service("s", "x", "10.0.0.2:80"))
		testkit.Elapse(t, 10*time.Second)
		net.take()
		if err := a.Withdraw(former); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := c.knows(t, "s"); got != "s/x@10.0.0.2:80" {
			t.Errorf("readers know %q", got)
		}
		// v2's watchers, who take the goodbye for its, hear that it is there.
		if sent := matching(net.take(), "announce x.s.micro. at 10.0.0.2:80 for 2m0s"); len(sent) == 0 {
			t.Error("the successor did not announce itself again")
		}
	})
}
