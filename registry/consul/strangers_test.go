package consul_test

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestStrangersTags registers instances beside a good one whose tags cannot be read, or
// hold more than they should: the good one is served to lookups and watches all the
// same, and what was skipped is counted.
func TestStrangersTags(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	name := unique("strangers")
	watched := follow(t, r, registry.WatchService(name))
	zeros := func(n int) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, err := w.Write(make([]byte, n))
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b.Bytes())
	}
	for id, tags := range map[string][]string{
		"none":         nil,
		"foreign":      {"primary", "v1", "urlprefix-/x", "t", "t-", "v-", "e-"},
		"no hex":       {"t-xyz", "e-789c", "v-zz"},
		"no zlib":      {"t-00ff00ff", "v-abcdef"},
		"cut short":    {"t-789caa562a4e2d", "v-789c32d4"},
		"no JSON":      {"t-" + zeros(10), "e-" + zeros(10)},
		"bomb":         {"v-" + zeros(4<<20)},
		"many bombs":   slices.Repeat([]string{"t-" + zeros(64<<10)}, 200),
		"bomb as meta": {"t-" + zeros(2<<20), "t-789caa562a4e2d2a4b2d52b2524a2f2a4856aa05040000ffff36fa05fe"},
	} {
		agent.Do(t, http.MethodPut, "/v1/agent/service/register", map[string]any{"ID": name + id, "Name": name, "Tags": tags, "Port": 1})
	}
	if err := r.Register(&registry.Service{Name: name, Version: "good", Nodes: []*registry.Node{{Id: name, Address: "127.0.0.1:1"}}}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the good node is told", func() bool { return watched.has("create " + name) })
	testkit.Eventually(t, 30*time.Second, "the good node is found", func() bool {
		all, err := r.GetService(name)
		return err == nil && slices.ContainsFunc(all, func(s *registry.Service) bool {
			return s.Version == "good" && len(s.Nodes) == 1 && s.Nodes[0].Id == name
		})
	})
	if n := r.(interface{ Stats() map[string]uint64 }).Stats()["records_skipped"]; n == 0 {
		t.Error("nothing is counted as skipped")
	}
	if _, err := r.ListServices(); err != nil {
		t.Error(err)
	}
}

// TestTwoAgentsWithOneID has a node of one id at two agents: it is one node, the one
// that is well, and of two the younger.
func TestTwoAgentsWithOneID(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	put := func(node, address, status string) {
		agent.Do(t, http.MethodPut, "/v1/catalog/register", map[string]any{
			"Node": node, "Address": "127.0.0.2",
			"Service": map[string]any{"ID": "twice", "Service": "twice", "Address": address, "Port": 1},
			"Check":   map[string]any{"CheckID": "service:twice", "ServiceID": "twice", "Status": status},
		})
	}
	t.Cleanup(func() {
		for _, node := range []string{"one", "two"} {
			agent.Do(t, http.MethodPut, "/v1/catalog/deregister", map[string]string{"Node": node})
		}
	})
	is := func(address string) {
		t.Helper()
		testkit.Eventually(t, 30*time.Second, "the node is at "+address, func() bool {
			all, err := r.GetService("twice")
			return err == nil && len(all) == 1 && len(all[0].Nodes) == 1 && all[0].Nodes[0].Address == address
		})
	}
	put("one", "10.0.0.1", "passing")
	is("10.0.0.1:1")
	put("two", "10.0.0.2", "passing")
	is("10.0.0.2:1")
	put("two", "10.0.0.2", "critical")
	is("10.0.0.1:1")
	put("one", "10.0.0.1", "critical")
	testkit.Eventually(t, 30*time.Second, "the node is not found", func() bool {
		_, err := r.GetService("twice")
		return errors.Is(err, registry.ErrNotFound)
	})
}

// TestOddNames registers services of odd names: each is found by its own name and by no
// other, or refused with its name in the error.
func TestOddNames(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	taken := map[string]string{} // ids by names
	refused := 0
	for i, name := range []string{
		"odd/a", "odd-a", "odd.a", "odd a", "odd%2fa", "odd?a=b", "odd#a", "odd&a", "odd+a", "odd;a", "odd:a", "odd\\a", "odd\"a", "odd'a", "odd`a",
		"odd/", "/odd", "odd//a", "odd/../a", "..", ".", "odd/.", "odd\na", "odd\x00a", "odd\x1b[31m", "odd\u202ea", "odd\xffa",
		"odd" + strings.Repeat("a", 297), "odd" + strings.Repeat("服", 99), "odd" + strings.Repeat("a", 5000), "服务", "ODD-A", "consul",
	} {
		id := "odd-" + string(rune('A'+i))
		err := r.Register(&registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: id, Address: "127.0.0.1:1"}}})
		if err != nil {
			refused++
			t.Logf("refused: %.200v", err)
			continue
		}
		taken[name] = id
	}
	if refused > 13 || len(taken) < 15 {
		t.Errorf("%d names are refused, %d taken", refused, len(taken))
	}
	for name, id := range taken {
		testkit.Passes(t, 30*time.Second, "the service is found by its own name and has its own node", func() error {
			all, err := r.GetService(name)
			if err == nil && (len(all) != 1 || all[0].Name != name || len(all[0].Nodes) != 1 || all[0].Nodes[0].Id != id) {
				err = errors.New("there is " + all[0].Name + " with " + all[0].Nodes[0].Id + ", want " + name + " with " + id)
			}
			return err
		})
	}
}
