package mdns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

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
		pass(t, 10*time.Second)
		want := "0s announce a.s.micro. at 10.0.0.1:80 for 2m0s; 1s announce a.s.micro. at 10.0.0.1:80 for 2m0s; 3s announce a.s.micro. at 10.0.0.1:80 for 2m0s"
		if got := strings.Join(matching(net.take(), "announce"), "; "); got != want {
			t.Errorf("announced %s, want %s", got, want)
		}
		a.publish(t, s)
		pass(t, 10*time.Second)
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
		pass(t, time.Minute)
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
		pass(t, time.Minute)
		b.publish(t, service("s", "x", "10.0.0.2:80"))
		pass(t, time.Second)
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

// A node that is started anew with its id announces itself before the former one says
// goodbye.
func TestSuccessorOutlivesAGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b, c := net.host(t), net.host(t), net.host(t)
		c.browse(t, "s")
		former := service("s", "x", "10.0.0.1:80")
		a.publish(t, former)
		pass(t, time.Minute)
		b.publish(t, service("s", "x", "10.0.0.2:80"))
		pass(t, 10*time.Second)
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

// bulky has an endpoint for each of so many methods.
func bulky(methods int) *registry.Service {
	s := service("bulky", "a", "10.0.0.1:80")
	for i := range methods {
		field := &registry.Value{Name: fmt.Sprintf("field%d", i*i*7919), Type: fmt.Sprintf("type%d", i*31337)}
		s.Endpoints = append(s.Endpoints, &registry.Endpoint{Name: fmt.Sprintf("Bulky.Method%d", i), Request: field, Response: field})
	}
	return s
}

func TestLargeRecordsShedSchemas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		a, b := net.host(t), net.host(t)
		b.browse(t, "bulky")
		s := bulky(100)
		a.publish(t, s)
		s = bulky(100)
		s.Nodes[0].Metadata = map[string]string{"changed": "yes"}
		a.publish(t, s)
		pass(t, time.Second)
		v, err := b.Look("bulky")
		if err != nil || len(v.Services) != 1 || len(v.Services[0].Endpoints) != 100 || v.Services[0].Endpoints[7].Request != nil || v.Services[0].Endpoints[7].Name != "Bulky.Method7" {
			t.Errorf("found %+v, %v", v.Services, err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.warned) != 1 || !strings.Contains(a.warned[0], "take and return") || !strings.Contains(a.warned[0], `"a" of "bulky"`) {
			t.Errorf("warned %q, want once", a.warned)
		}
	})
}

func TestTooLargeForAnyPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSegment().host(t)
		h.publish(t, bulky(3000))
		if len(h.warned) != 1 || !strings.Contains(h.warned[0], "without its endpoints") {
			t.Errorf("warned %q", h.warned)
		}
		s := service("s", "a", "10.0.0.1:80")
		s.Nodes[0].Metadata = map[string]string{}
		for i := range 2000 {
			s.Nodes[0].Metadata[fmt.Sprint(i*7919)] = fmt.Sprint(i * i * 31337)
		}
		if err := h.Publish(s, 0); err == nil || !strings.Contains(err.Error(), "9000 at most") || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("got error %v", err)
		}
	})
}

func TestRefusedNodes(t *testing.T) {
	h := newSegment().host(t)
	for _, tc := range []struct{ name, id, address, want string }{
		{"s", "a", "localhost:80", `"localhost" is no IP address`},
		{"s", "a", ":80", "is no IP address"},
		{"s", "a", "0.0.0.0:80", "is no IP address that others can call"},
		{"s", "a", "[fe80::1%eth0]:80", "is no IP address that others can call"},
		{"s", "a", "10.0.0.1", "it is not IP:port"},
		{"s", "a", "10.0.0.1:0", `"0" is no port`},
		{"s", "a", "10.0.0.1:http", `"http" is no port`},
		{"s", "a", "10.0.0.1:65536", `"65536" is no port`},
		{"s", strings.Repeat("a", 64), "10.0.0.1:80", "at most 63"},
		{strings.Repeat("a.", 124) + "a", "a", "10.0.0.1:80", "at most 255"},
		{strings.Repeat("s.", 119) + "s", "a", "10.0.0.1:80", "at most 255"}, // listed, it is longer
	} {
		if err := h.Publish(service(tc.name, tc.id, tc.address), 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q of %q at %q: got error %v, want one with %q", tc.id, tc.name, tc.address, err, tc.want)
		}
	}
	if len(h.own) != 0 || h.transport != nil {
		t.Error("what was refused is published, or opened sockets")
	}
}

// v2 asks from a port of its own and takes an answer only if it repeats the question;
// of one packet, it takes one node.
func TestAnswersForV2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		two := service("s", "a", "127.0.0.1:8080")
		two.Nodes = append(two.Nodes, &registry.Node{Id: "b", Address: "[2001:db8::1]:8081"})
		h.publish(t, two)
		pass(t, 10*time.Second)
		asker := net.join()
		ask := func(name string, kind dnsmessage.Type) [][]byte {
			t.Helper()
			b := newBuilder(dnsmessage.Header{ID: 4711}, true)
			b.question(name, kind)
			packet, err := b.packet()
			if err != nil {
				t.Fatal(err)
			}
			asker.Ask(packet)
			synctest.Wait()
			var answers [][]byte
			for len(asker.packets) > 0 {
				if p := <-asker.packets; !p.Own {
					answers = append(answers, p.Data)
				}
			}
			return answers
		}
		answers := ask("s.micro.", dnsmessage.TypePTR)
		if len(answers) != 2 {
			t.Fatalf("%d answers, want one for each node", len(answers))
		}
		both := []string{layout(t, answers[0]), layout(t, answers[1])}
		slices.Sort(both)
		for i, want := range []string{"PTR SRV A TXT", "PTR SRV AAAA TXT"} {
			if both[i] != "id 0 qr true aa true: s.micro.: "+want {
				t.Errorf("answers are %q", both)
			}
		}
		for _, tc := range []struct {
			name string
			kind dnsmessage.Type
			want string
		}{
			{"_services.micro.", dnsmessage.TypePTR, "PTR SRV A TXT"},
			{"_services._dns-sd._udp.micro.", dnsmessage.TypePTR, "PTR"},
			{"a.s.micro.", anyType, "SRV A TXT"},
			{"a.s.micro.", dnsmessage.TypeSRV, "SRV A"},
			{"a.s.micro.", dnsmessage.TypeTXT, "TXT"},
			{"a.s.micro.", dnsmessage.TypeA, "A"},
			{"a.s.micro.", dnsmessage.TypePTR, ""},
			{"S.micro.", dnsmessage.TypePTR, ""},
			{"t.micro.", dnsmessage.TypePTR, ""},
			{"s.local.", dnsmessage.TypePTR, ""},
		} {
			answers := ask(tc.name, tc.kind)
			if tc.want == "" && len(answers) == 0 {
				continue
			}
			if len(answers) != 1 || layout(t, answers[0]) != "id 0 qr true aa true: "+tc.name+": "+tc.want {
				t.Errorf("%s of %q: %d answers: %q", tc.kind, tc.name, len(answers), answers)
			}
		}
		listed := ask("_services.micro.", dnsmessage.TypePTR)[0]
		if got := outline(listed); got != "_services.micro.? -> s._services.micro. s._services.micro. at 0.0.0.0:9999 for 2m0s" {
			t.Errorf("listed as %s", got)
		}
	})
}

// layout writes down the head of an answer and the types of its records.
func layout(t *testing.T, packet []byte) string {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, a := range m.Answers {
		types = append(types, strings.TrimPrefix(a.Header.Type.String(), "Type"))
	}
	return fmt.Sprintf("id %d qr %v aa %v: %s: %s", m.ID, m.Response, m.Authoritative, m.Questions[0].Name, strings.Join(types, " "))
}

// An asker on the port of multicast DNS hears what is multicast, once a second at
// most, whoever asks.
func TestAskersOnThePortHearAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		h.publish(t, service("s", "a", "10.0.0.1:80"))
		pass(t, 10*time.Second)
		packet, err := query(1, "s.micro.", dnsmessage.TypePTR, nil)
		if err != nil {
			t.Fatal(err)
		}
		net.take()
		for range 10 {
			net.join().Announce(packet)
			synctest.Wait()
		}
		if sent := matching(net.take(), "at 10.0.0.1:80"); len(sent) != 1 || !strings.Contains(sent[0], "announce a.s.micro.") {
			t.Errorf("sent %q", sent)
		}
	})
}
