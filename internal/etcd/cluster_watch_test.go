package etcd

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMembersThatWereReplaced(t *testing.T) {
	names := map[string]string{"b.test": "10.0.0.2"}
	ips := func(addr string) []string {
		ap, err := netip.ParseAddrPort(addr)
		if err == nil {
			return []string{ap.String()}
		}
		host, port, _ := strings.Cut(addr, ":")
		if ip := names[host]; ip != "" {
			return []string{ip + ":" + port}
		}
		return nil
	}
	type step struct {
		members string
		warns   string // "" for no warning
	}
	for what, tt := range map[string]struct {
		configured string
		steps      []step
	}{
		"replaced one by one": {"10.0.0.1:1 10.0.0.2:1 10.0.0.3:1", []step{
			{"10.0.0.1:1 10.0.0.2:1 10.0.0.3:1", ""},
			{"10.0.0.4:1 10.0.0.2:1 10.0.0.3:1", ""},
			{"10.0.0.4:1 10.0.0.5:1 10.0.0.3:1", "only 1 of 3 is still that of a member (no longer: [\"10.0.0.1:1\" \"10.0.0.2:1\"]); the members are now at [\"10.0.0.3:1\" \"10.0.0.4:1\" \"10.0.0.5:1\"]"},
			{"10.0.0.4:1 10.0.0.5:1 10.0.0.3:1", ""}, // was said
			{"10.0.0.4:1 10.0.0.5:1 10.0.0.6:1", "none is still"},
			{"10.0.0.1:1 10.0.0.2:1 10.0.0.3:1", ""},
			{"10.0.0.4:1 10.0.0.5:1 10.0.0.6:1", "none is still"}, // said again, as it is news again
		}},
		"half are left":                {"10.0.0.1:1 10.0.0.2:1", []step{{"10.0.0.1:1 10.0.0.9:1", ""}}},
		"a start after most were":      {"10.0.0.1:1 10.0.0.2:1 10.0.0.3:1", []step{{"10.0.0.3:1 10.0.0.8:1 10.0.0.9:1", "only 1 of 3"}}},
		"a load balancer":              {"10.9.9.9:443", []step{{"10.0.0.1:1", ""}, {"10.0.0.2:1", ""}}},
		"members tell names":           {"10.0.0.2:1", []step{{"b.test:1", ""}}},
		"names are given":              {"b.test:1", []step{{"10.0.0.2:1", ""}, {"10.0.0.3:1", "none is still"}}},
		"another port is another etcd": {"10.0.0.1:1 10.0.0.2:1 10.0.0.3:1", []step{{"10.0.0.1:1 10.0.0.2:2 10.0.0.3:2", "only 1 of 3"}}},
	} {
		var m membership
		for i, s := range tt.steps {
			configured := map[string][]string{}
			for _, addr := range strings.Fields(tt.configured) {
				configured[addr] = append([]string{addr}, ips(addr)...)
			}
			got := m.look(configured, strings.Fields(s.members), ips)
			if (got == "") != (s.warns == "") || !strings.Contains(got, s.warns) {
				t.Errorf("%s, step %d: %q, want %q", what, i, got, s.warns)
			}
		}
	}
}

// An etcd that tells clients another address than before: the Conn warns when it
// next connects, once.
func TestWarnsOfReplacedMembers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var warnings []string
	e := testkit.StartEtcd(t)
	c := open(t, Config{Addrs: []string{e.Addr()}, Warn: func(text string) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, text)
	}})
	_, release, err := c.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	testkit.Eventually(t, soon, "etcd answers", func() bool { return get(t, c) == nil })
	mu.Lock()
	if len(warnings) != 0 {
		t.Errorf("warned of a member that is there: %q", warnings)
	}
	mu.Unlock()
	moved := testkit.StartEtcd(t, testkit.WithAdvertise("127.0.0.1:1"))
	front := testkit.StartProxy(t, moved.Addr())
	m := membership{comparable: true}
	other := open(t, Config{Addrs: []string{front.Addr()}, Warn: c.cfg.Warn})
	testkit.Eventually(t, soon, "the other answers", func() bool { return get(t, other) == nil })
	for range 2 {
		other.warnOfReplacedMembers(t.Context(), &m)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "none is still that of a member (no longer: [\""+front.Addr()+"\"]); the members are now at [\"127.0.0.1:1\"]") {
		t.Errorf("warned %q", warnings)
	}
}
