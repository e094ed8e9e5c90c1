package mdns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// v2 asks from a port of its own and takes an answer only if it repeats the question;
// of one packet, it takes one node.
func TestAnswersForV2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newSegment()
		h := net.host(t)
		two := service("s", "a", "127.0.0.1:8080")
		two.Nodes = append(two.Nodes, &registry.Node{Id: "b", Address: "[2001:db8::1]:8081"})
		h.publish(t, two)
		testkit.Elapse(t, 10*time.Second)
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
		testkit.Elapse(t, 10*time.Second)
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
