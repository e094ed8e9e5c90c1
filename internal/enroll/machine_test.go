package enroll

import (
	"errors"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func second(n int) time.Duration { return time.Duration(n+1) * time.Second }

func TestMachineTriesAgain(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	if !m.startsAttempt(start) {
		t.Fatal("the first attempt waits")
	}
	if m.startsAttempt(start.Add(time.Hour)) {
		t.Fatal("two attempts at once")
	}
	now := start
	for n := range 3 {
		m.onAttempt(attempt{node: "n", err: errors.New("down")}, now)
		if m.startsAttempt(now.Add(second(n) - 1)) {
			t.Fatalf("failure %d: tried before the pause was over", n)
		}
		now = now.Add(second(n))
		if !m.startsAttempt(now) {
			t.Fatalf("failure %d: not tried after the pause", n)
		}
	}
	if !m.onAttempt(attempt{node: "n"}, now) || m.state.Phase != Registered || m.state.Node != "n" || m.state.Ready() != nil {
		t.Fatalf("after success: %+v", m.state)
	}
	if m.startsAttempt(now.Add(time.Minute-1)) || !m.startsAttempt(now.Add(time.Minute)) {
		t.Fatal("the re-check does not come after the interval")
	}
	m.onAttempt(attempt{err: errors.New("down")}, now)
	if m.due.Sub(now) != second(0) {
		t.Fatalf("the pause after a success began at %s", m.due.Sub(now))
	}
}

func TestMachineRenewsEveryThird(t *testing.T) {
	m := newMachine(start, time.Minute, 5*time.Second, second)
	m.startsAttempt(start)
	m.onAttempt(attempt{}, start)
	if m.startsAttempt(start.Add(5*time.Second-1)) || !m.startsAttempt(start.Add(5*time.Second)) {
		t.Fatal("not renewed in time")
	}
}

func TestMachineReportsOneChangePerCause(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	m.startsAttempt(start)
	if !m.onAttempt(attempt{err: errors.New("down")}, start) {
		t.Fatal("the first failure is no change")
	}
	m.inFlight = true
	if m.onAttempt(attempt{err: errors.New("down")}, start) {
		t.Fatal("the same failure again is a change")
	}
	m.inFlight = true
	if !m.onAttempt(attempt{err: errors.New("refused")}, start) {
		t.Fatal("another cause is no change")
	}
}

func TestMachineCustody(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	if m.onStatus(ability.Status{State: ability.Absent}, start) {
		t.Fatal("absence before the first registration is a change")
	}
	m.startsAttempt(start)
	m.onAttempt(attempt{}, start)
	for _, step := range []struct {
		in   ability.State
		want Phase
	}{
		{ability.Absent, Trying}, {ability.Held, Registered}, {ability.Displaced, Displaced},
		{ability.Held, Registered}, {ability.Paused, Paused}, {ability.Held, Registered},
	} {
		if !m.onStatus(ability.Status{State: step.in, Reason: step.in.String()}, start) || m.state.Phase != step.want {
			t.Fatalf("status %s: %+v", step.in, m.state)
		}
	}
	// While the backend keeps watch, a re-check that went well changes nothing.
	m.onStatus(ability.Status{State: ability.Paused, Reason: "by hand"}, start)
	m.inFlight = true
	if m.onAttempt(attempt{}, start) || m.state.Phase != Paused {
		t.Fatalf("a re-check resumed a paused node: %+v", m.state)
	}
	m.inFlight = true
	if m.onAttempt(attempt{err: errors.New("down")}, start) || m.state.Phase != Paused {
		t.Fatalf("a failed re-check hid the pause: %+v", m.state)
	}
}

func TestMachineUnhealthy(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	m.startsAttempt(start)
	m.onAttempt(attempt{}, start)
	m.inFlight = true
	if !m.onAttempt(attempt{err: errors.New("disk full"), unhealthy: true, withdrawn: true}, start) || m.state.Phase != Unhealthy || m.accepted {
		t.Fatalf("%+v", m.state)
	}
	if err := m.state.Ready(); err == nil {
		t.Fatal("an unhealthy node is ready")
	}
	m.startsAttempt(start.Add(time.Minute))
	if !m.onAttempt(attempt{}, start.Add(time.Minute)) || m.state.Phase != Registered {
		t.Fatalf("%+v", m.state)
	}
}

func TestMachineForgetsAFailureOnceTheRecordStands(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	m.startsAttempt(start)
	m.onAttempt(attempt{node: "n"}, start)
	m.onStatus(ability.Status{State: ability.Held}, start)
	for _, failed := range []attempt{
		{err: errors.New("describe the service")},
		{err: errors.New("disk full"), unhealthy: true}, // and could not be withdrawn
	} {
		m.inFlight = true
		if !m.onAttempt(failed, start) || m.state.Phase == Registered {
			t.Fatalf("%v: %+v", failed.err, m.state)
		}
		m.inFlight = true
		if !m.onAttempt(attempt{node: "n"}, start) || m.state.Phase != Registered {
			t.Fatalf("after %v has passed: %+v", failed.err, m.state)
		}
	}
}

// A check that was asked for comes at once, but not in a storm, and one that was
// asked for during an attempt comes after it.
func TestMachineChecksNow(t *testing.T) {
	m := newMachine(start, time.Minute, 0, second)
	m.startsAttempt(start)
	m.onAttempt(attempt{node: "n"}, start)
	now := start.Add(time.Second)
	attempts := 0
	for range 1000 { // a change every millisecond
		m.checkNow(now)
		if m.startsAttempt(now) {
			attempts++
			m.checkNow(now)
			m.onAttempt(attempt{node: "n"}, now)
		}
		now = now.Add(time.Millisecond)
	}
	if attempts != 5 {
		t.Errorf("%d attempts in a second, want one every 200 ms", attempts)
	}
	if !m.startsAttempt(now.Add(checkSpacing)) {
		t.Error("the last change waits for the re-check")
	}
	m.onAttempt(attempt{node: "n"}, now)
	if m.startsAttempt(now.Add(time.Second)) {
		t.Error("one more attempt than was asked for")
	}
}
