package faults

import (
	"fmt"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

const (
	// mixedSlowest bounds a call or stream, each of which has a timeout of 3 s.
	mixedSlowest = 8 * time.Second
	// mixedLeft bounds the goroutines that there are more afterwards, on either end: those
	// of a connection on which a node is asked that seemed silent.
	mixedLeft = 10
)

// allowedWhileMixed are the errors with which a call or a stream may end while its node
// dies, freezes or stops: its deadline has passed, its connection broke or its server
// stopped under it, or no connection could be made to the nodes that were tried.
var allowedWhileMixed = regexp.MustCompile(`"code":(408|503),|"code":500,.*(connection refused|connection reset|Error while dialing|i/o timeout)`)

// mixedNodes are processes of which one at a time is disturbed.
type mixedNodes struct {
	flags []string
	live  []*testkit.Process
	all   []*testkit.Process
}

// start puts a new process in the place of one.
func (m *mixedNodes) start(t *testing.T, i int) {
	t.Helper()
	m.live[i] = fleet.Process(t, m.flags...)
	m.all = append(m.all, m.live[i])
	m.live[i].Says(t, "Registering node: ")
}

// disturb makes the n-th fault, and waits until its node is there again.
func (m *mixedNodes) disturb(t *testing.T, n int) {
	t.Helper()
	i := n % len(m.live)
	switch n % 3 {
	case 0:
		m.live[i].Kill()
		m.start(t, i)
	case 1:
		m.live[i].Freeze(t)
		testkit.Elapse(t, 1500*time.Millisecond)
		m.live[i].Thaw(t)
	default:
		m.live[i].Stop(t)
		m.start(t, i)
	}
	testkit.Elapse(t, 300*time.Millisecond)
}

// vitals waits until no node has more under way than it should, and returns the most
// goroutines of any.
func (m *mixedNodes) vitals(t *testing.T, c client.Client, connections int64, goroutines int) (most int) {
	t.Helper()
	for _, p := range m.live {
		address := p.Says(t, `Listening on (\S+)`)
		testkit.Passes(t, patience, "nothing is left on a node", func() error {
			v, err := fleet.VitalsOf(t.Context(), c, address)
			if err != nil {
				return err
			}
			if v.Handlers > 0 || v.Connections > connections || goroutines > 0 && v.Goroutines > goroutines {
				return fmt.Errorf("%+v, want no handler and at most %d connections and %d goroutines", v, connections, goroutines)
			}
			most = max(most, v.Goroutines)
			return nil
		})
	}
	return most
}

// Row D17: twenty goroutines of one process make calls and streams of every kind, in
// protobuf, JSON and bytes, with checksums, while the nodes are killed, frozen, stopped
// and replaced by others. No answer is that to another question, each error is one that
// the fault explains, and nothing is left on either end.
func TestD17MixedCallsWhileNodesComeAndGo(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	nodes := mixedNodes{
		flags: []string{"--registry=etcd", "--registry_address=" + e.Addr(), "--register_ttl=5"},
		live:  make([]*testkit.Process, 4),
	}
	for i := range nodes.live {
		nodes.start(t, i)
	}
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	before := nodes.vitals(t, c, 2, 0)
	// In the short form other rows run beside, whose times are measured.
	mixer := fleet.Mixer(t, times(100*time.Millisecond, 0), nodes.flags...)

	began, faults := time.Now(), 0
	for faults < 3 || time.Since(began) < times(8*time.Second, time.Minute) {
		nodes.disturb(t, faults)
		faults++
	}
	m := fleet.Unmix(t, mixer)

	// One connection of the mixer and one of ours, each with one more at most.
	after := nodes.vitals(t, c, 4, 0)
	mixer.Signal(t, syscall.SIGTERM)
	if code := mixer.Wait(t, patience); code != 0 {
		t.Errorf("the mixer ended with %d", code)
	}
	most := nodes.vitals(t, c, 2, before+mixedLeft)
	t.Logf("measured: %d faults in %v; goroutines of a node: %d before, %d after, %d without the caller", faults, time.Since(began).Round(time.Second), before, after, most)
	for _, p := range append(nodes.all, mixer) {
		if p.Lines("DATA RACE") > 0 || p.Lines("panic") > 0 {
			t.Errorf("process %d has a race or a panic", p.PID())
		}
	}
	judgeMixed(t, m)
}

func judgeMixed(t *testing.T, m fleet.Mixed) {
	t.Helper()
	ok, failed := 0, 0
	for kind, n := range m.Succeeded {
		ok, failed = ok+n, failed+m.Failed[kind]
		if n == 0 {
			t.Errorf("none of kind %q ended well", kind)
		}
	}
	t.Logf("measured: %d calls and streams of %d kinds ended well, %d did not", ok, len(m.Succeeded), failed)
	within(t, "the slowest", m.Slowest, mixedSlowest)
	atMost(t, "more goroutines afterwards", m.After-m.Before, mixedLeft)
	for _, text := range m.Wrong {
		t.Errorf("a wrong answer: %s", text)
	}
	for text, n := range m.Errors {
		t.Logf("%d times: %s", n, text)
		if !allowedWhileMixed.MatchString(text) {
			t.Errorf("%d times an error that no fault explains: %s", n, text)
		}
	}
}
