package interop_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// inbox is what one subscription of a program received.
type inbox struct {
	*program
	mu  sync.Mutex
	got []peer.Message
}

// subscribe subscribes, and receives until the program ends.
func (p *program) subscribe(s peer.Subscription) *inbox {
	p.t.Helper()
	next, err := p.Watch(peer.OpSubscribe, s)
	if err != nil {
		p.t.Fatalf("%s: subscribe %+v: %v", p.kind, s, err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), replyTimeout)
	defer cancel()
	var empty peer.Message
	if err := next(ctx, &empty); err != nil {
		p.t.Fatalf("%s: subscribe %+v: %v", p.kind, s, err)
	}
	in := &inbox{program: p}
	var received sync.WaitGroup
	p.t.Cleanup(received.Wait)
	received.Go(func() {
		for {
			var m peer.Message
			if err := next(p.t.Context(), &m); err != nil {
				return // the program or the test has ended
			}
			in.mu.Lock()
			in.got = append(in.got, m)
			in.mu.Unlock()
		}
	})
	return in
}

// count returns how many times each body was received by all of them that begins with
// prefix.
func count(prefix string, boxes ...*inbox) map[string]int {
	times := map[string]int{}
	for _, in := range boxes {
		in.mu.Lock()
		for _, m := range in.got {
			if strings.HasPrefix(string(m.Body), prefix) {
				times[string(m.Body)]++
			}
		}
		in.mu.Unlock()
	}
	return times
}

// bodies returns n bodies, none of which is text.
func bodies(prefix string, n int) (all [][]byte) {
	for i := range n {
		all = append(all, fmt.Appendf(nil, "%s%d\x00\xff", prefix, i))
	}
	return all
}

// once publishes and waits until each body was received exactly once by all boxes of each
// group together.
func (p *program) once(c peer.Publication, prefix string, groups ...[]*inbox) {
	p.t.Helper()
	p.do(peer.OpPublish, c, nil)
	for _, boxes := range groups {
		testkit.Eventually(p.t, 20*time.Second, fmt.Sprintf("%s, published by %s, is received", prefix, p.kind), func() bool {
			return len(count(prefix, boxes...)) >= len(c.Bodies)
		})
		for body, times := range count(prefix, boxes...) {
			if times != 1 {
				p.t.Errorf("%q, published by %s, was received %d times", body, p.kind, times)
			}
		}
	}
}

// Publishers and subscribers of both in one etcd: everybody gets every message, and of a
// queue with members of both, one does.
func TestEvents(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	var everybody, workers [][]*inbox
	var queue []*inbox
	programs := map[kind]*program{}
	for _, k := range kinds {
		p := run(t, k, etcd.Addr(), "interop.events")
		programs[k] = p
		everybody = append(everybody, []*inbox{p.subscribe(peer.Subscription{Topic: "news/all"})})
		// A broker of v2 gives all its subscriptions to one topic one record, whose queue
		// is that of the last of them.
		member := run(t, k, etcd.Addr(), "interop.member")
		queue = append(queue, member.subscribe(peer.Subscription{Topic: "news/all", Queue: "workers"}))
	}
	workers = append(workers, queue)
	header := map[string]string{"Content-Type": "text/plain", "Ключ": "значение", "Of": "\"them\""}
	for _, k := range kinds {
		publisher := programs[k]
		// v2's cache takes a moment to know who has subscribed.
		testkit.Eventually(t, 20*time.Second, "all subscriptions are reached", func() bool {
			hello := "hello of " + string(k)
			publisher.do(peer.OpPublish, peer.Publication{Topic: "news/all", Bodies: [][]byte{[]byte(hello)}}, nil)
			for _, in := range append(queue, everybody[0][0], everybody[1][0]) {
				if len(count(hello, in)) == 0 {
					return false
				}
			}
			return true
		})
		prefix := "from " + string(k) + " "
		c := peer.Publication{Topic: "news/all", Header: header, Bodies: bodies(prefix, 60)}
		publisher.once(c, prefix, append(everybody, workers...)...)
		for _, in := range queue {
			if len(count(prefix, in)) == 0 {
				t.Errorf("of what %s published, the member %s of the queue got nothing", k, in.kind)
			}
		}
	}
	for _, boxes := range everybody {
		in := boxes[0]
		in.mu.Lock()
		for _, m := range in.got {
			if !strings.HasPrefix(string(m.Body), "from ") {
				continue
			}
			if m.Topic != "news/all" || len(m.Header) != 4 || m.Header["Micro-Topic"] != "news/all" || m.Header["Ключ"] != "значение" || m.Header["Of"] != header["Of"] {
				t.Errorf("%s received %+v", in.kind, m)
			}
		}
		in.mu.Unlock()
	}
	for _, r := range storeOf(t, etcd).below("/micro/registry/micro.http.broker/") {
		for _, part := range []string{`"name":"micro.http.broker"`, `"broker":"http"`, `"secure":"false"`, `"topic":"news/all"`} {
			if !strings.Contains(r.value, part) {
				t.Errorf("a subscription is registered as %s, without %s", r.value, part)
			}
		}
	}
}

// A member of v2's that dies with its record in the registry costs a publisher of ours what
// was under way to it, at most 8 messages: they may have been taken, and v2 would not know
// them again. What it does not take, others do.
func TestEventsWhenAMemberOfV2Dies(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	dying, living := run(t, v2, etcd.Addr(), "interop.dying"), run(t, ours, etcd.Addr(), "interop.living")
	// It ends before those that it publishes to.
	publisher := run(t, ours, etcd.Addr(), "interop.publisher")
	first := dying.subscribe(peer.Subscription{Topic: "work", Queue: "workers"})
	second := living.subscribe(peer.Subscription{Topic: "work", Queue: "workers"})
	both := [][]*inbox{{first, second}}
	publisher.once(peer.Publication{Topic: "work", Bodies: bodies("before ", 40)}, "before ", both...)
	dying.crash()
	const n, underWay = 40, 8
	for _, prefix := range []string{"after one ", "after two "} {
		publisher.do(peer.OpPublish, peer.Publication{Topic: "work", Bodies: bodies(prefix, n)}, nil)
	}
	testkit.Eventually(t, 20*time.Second, "the other member gets what was not under way", func() bool {
		return len(count("after ", second)) >= 2*n-underWay
	})
	for body, times := range count("after ", second) {
		if times != 1 {
			t.Errorf("%q was received %d times", body, times)
		}
	}
}

// A member that freezes, of either kind, keeps the messages in its hands, at most 8; the
// others go to who takes them. When it thaws, all have been handled, and none twice.
func TestEventsWhenAMemberFreezes(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	publisher, living := run(t, ours, etcd.Addr(), "interop.publisher"), run(t, ours, etcd.Addr(), "interop.living")
	for _, k := range kinds {
		topic := "freeze." + string(k)
		frozen := run(t, k, etcd.Addr(), "interop.frozen")
		first := frozen.subscribe(peer.Subscription{Topic: topic, Queue: "workers"})
		second := living.subscribe(peer.Subscription{Topic: topic, Queue: "workers"})
		publisher.once(peer.Publication{Topic: topic, Bodies: bodies("before ", 40)}, "before ", []*inbox{first, second})
		if err := frozen.Freeze(); err != nil {
			t.Fatal(err)
		}
		const n = 200
		publisher.do(peer.OpPublish, peer.Publication{Topic: topic, Bodies: bodies("while ", n)}, nil)
		testkit.Eventually(t, 20*time.Second, "the others go to who takes them", func() bool { return len(count("while ", second)) >= n-8 })
		if err := frozen.Thaw(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 20*time.Second, "all are handled", func() bool { return len(count("while ", first, second)) == n })
		publisher.once(peer.Publication{Topic: topic, Bodies: bodies("after ", 40)}, "after ", []*inbox{first, second})
		for body, times := range count("while ", first, second) {
			if times != 1 {
				t.Errorf("%q was handled %d times", body, times)
			}
		}
	}
}

// Events of services: NewEvent of one is received by RegisterSubscriber of the other, with
// the metadata.
func TestEventsOfServices(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	for _, k := range kinds {
		t.Run(fmt.Sprintf("%s publishes to %s", k, k.other()), func(t *testing.T) {
			publisher, subscriber := run(t, k, etcd.Addr(), "interop.publisher"), run(t, k.other(), etcd.Addr(), "interop.subscriber")
			topic := "greetings.of." + string(k)
			in := subscriber.subscribe(peer.Subscription{Topic: topic, Service: "interop.greeted." + string(k), Queue: "greeted"})
			s := storeOf(t, etcd)
			testkit.Eventually(t, 20*time.Second, "the subscription is registered", func() bool {
				for _, r := range s.below("/micro/registry/micro.http.broker/") {
					if strings.Contains(r.value, `"topic":"`+topic+`"`) {
						return true
					}
				}
				return false
			})
			names := [][]byte{[]byte("Ада"), []byte("Bob"), []byte("Cleo")}
			publisher.once(peer.Publication{Topic: topic, Header: map[string]string{"Trace": "t-1"}, Bodies: names, Event: true}, "", []*inbox{in})
			in.mu.Lock()
			defer in.mu.Unlock()
			for _, m := range in.got {
				if m.Header["Trace"] != "t-1" || m.Header["Micro-Topic"] != topic {
					t.Errorf("received %+v", m)
				}
			}
		})
	}
}
