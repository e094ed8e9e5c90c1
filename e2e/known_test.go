package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestHowSoonARegistrationIsKnown measures how long it takes from Register in one
// process to the event in another that watches the service, on each registry. It prints
// and does not judge, but everything has to be told.
func TestHowSoonARegistrationIsKnown(t *testing.T) {
	t.Parallel()
	etcd, consul := testkit.StartEtcd(t).Addr(), testkit.StartConsul(t).Addr()
	for _, c := range []chosen{
		{"etcd", etcd},
		{"consul", consul},
	} {
		t.Run(c.registry, func(t *testing.T) { measureKnown(t, c, exec.Command) })
	}
	t.Run("consul,etcd", func(t *testing.T) {
		etcd, consul := testkit.StartEtcd(t).Addr(), testkit.StartConsul(t).Addr()
		measureKnown(t, chosen{"consul,etcd", fmt.Sprintf("consul=%s,etcd=%s", consul, etcd)}, exec.Command)
	})
}

// measureKnown runs both processes on the registry and prints what they measured.
func measureKnown(t *testing.T, c chosen, command func(program string, args ...string) *exec.Cmd) {
	t.Helper()
	program := filepath.Join(programs(t), "known")
	watching := command(program, c.flags()...)
	watching.Env = append(watching.Environ(), "KNOWN_WATCH=1")
	watcher := testkit.StartProcess(t, watching)
	watcher.Says(t, "watching")
	writer := testkit.StartProcess(t, command(program, c.flags()...))
	writer.Says(t, "done")
	registered := times(writer.Output(), "registers")
	testkit.Eventually(t, 30*time.Second, "every node is told", func() bool {
		return len(times(watcher.Output(), "hears")) >= len(registered)
	})
	heard := times(watcher.Output(), "hears")
	var took []time.Duration
	for id, began := range registered {
		if id != "node-0" { // connections are made for it
			took = append(took, time.Duration(heard[id]-began))
		}
	}
	slices.Sort(took)
	t.Logf("measured: from Register to the event in another process: median %v, longest %v of %d",
		took[len(took)/2].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond), len(took))
}

// times returns the time of each node in lines that begin with verb, the first of each.
func times(output, verb string) map[string]int64 {
	found := map[string]int64{}
	for line := range strings.Lines(output) {
		var id string
		var at int64
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		if n, err := fmt.Sscanf(line, verb+" %s %d", &id, &at); err == nil && n == 2 && found[id] == 0 {
			found[id] = at
		}
	}
	return found
}
