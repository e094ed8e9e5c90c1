package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestLeaderExample runs examples/leader twice: one leads, and when it is killed or stopped
// the other one does, with a higher token.
func TestLeaderExample(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	bin, err := build("../examples", "./leader")
	if err != nil {
		t.Fatal(err)
	}
	start := func() *testkit.Process {
		return testkit.StartProcess(t, exec.Command(filepath.Join(bin, "leader"), "--registry=etcd", "--registry_address="+etcd.Addr()))
	}
	leads := regexp.MustCompile(`leads with token (\d+)`)
	token := func(p *testkit.Process) int {
		t.Helper()
		p.Says(t, leads.String())
		n, err := strconv.Atoi(leads.FindStringSubmatch(p.Output())[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := start()
	one := token(first)
	second := start()
	c := etcd.Client(t)
	testkit.Eventually(t, 30*time.Second, "the second one is in line", func() bool {
		return len(etcdKeys(t, c, "/micro/sync/reporter/")) == 2
	})
	if second.Lines("leads with") != 0 {
		t.Fatal("two lead")
	}
	first.Kill()
	killed := time.Now()
	two := token(second)
	t.Logf("the other one leads %v after the kill, with token %d after %d", time.Since(killed).Round(time.Millisecond), two, one)
	if d := time.Since(killed); two <= one || d > 6*time.Second { // the TTL of 3 s, what etcd takes to end a lease, and a machine that is busy
		t.Errorf("the other one leads after %v with token %d after %d", d, two, one)
	}
	third := start()
	testkit.Eventually(t, 30*time.Second, "the third one is in line", func() bool {
		return len(etcdKeys(t, c, "/micro/sync/reporter/")) == 2
	})
	second.Stop(t)
	if three := token(third); three <= two {
		t.Errorf("token %d after %d", three, two)
	}
	third.Stop(t)
}

// etcdKeys returns the keys below a prefix.
func etcdKeys(t *testing.T, c *clientv3.Client, prefix string) (keys []string) {
	t.Helper()
	answer, err := c.Get(t.Context(), prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range answer.Kvs {
		keys = append(keys, string(kv.Key))
	}
	return keys
}
