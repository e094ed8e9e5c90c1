package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	gosync "sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/sync"
	"github.com/rollcall-go/micro/sync/etcd"
)

const (
	// contenderVariable makes a test binary a contender: its value is its name.
	contenderVariable = "ROLLCALL_FAULTS_CONTENDER"
	// lockTTL is that of contenders.
	lockTTL = 3 * time.Second
	// lockLine is where they stand in line.
	lockLine = "/micro/sync/job/"
)

// report is what a contender tells the ledger.
type report struct {
	Who   string
	What  string // "holds", "writes" or "lost"
	Token int64
	At    time.Time
}

// runContender is a process that gets a lock again and again, writes to the ledger while it
// holds it, and writes once more when it has lost it, as one does that was stopped between
// its look and its write.
func runContender(name, server, ledger string) error {
	s, ok := etcd.NewSync(sync.Nodes(server)).(sync.Fencing)
	if !ok {
		return fmt.Errorf("locks without tokens")
	}
	tell := func(what string, token int64) {
		body, err := json.Marshal(report{name, what, token, time.Now()})
		if err != nil {
			return
		}
		if answer, err := http.Post(ledger, "application/json", bytes.NewReader(body)); err == nil { // else the test is over
			_ = answer.Body.Close()
		}
	}
	writes := time.NewTicker(20 * time.Millisecond)
	for {
		held, err := s.Acquire(context.Background(), "job", sync.LockTTL(lockTTL))
		if err != nil {
			fmt.Println("acquire:", err)
			<-writes.C
			continue
		}
		tell("holds", held.Token())
		for held.Err() == nil {
			tell("writes", held.Token())
			select {
			case <-writes.C:
			case <-held.Lost():
			}
		}
		fmt.Println("lost:", held.Err())
		tell("lost", held.Token())
		tell("writes", held.Token())
	}
}

// ledger is what contenders write to. It refuses a token that is lower than one that it has
// seen.
type ledger struct {
	url string

	mu      gosync.Mutex
	highest int64
	writer  map[int64]string
	refused []report
	reports []report // but for writes
	twice   []report // of a token that another contender has
}

func startLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{writer: map[int64]string{}}
	server := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *ledger) serve(_ http.ResponseWriter, r *http.Request) {
	var got report
	if json.NewDecoder(r.Body).Decode(&got) != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if by, ok := l.writer[got.Token]; ok && by != got.Who {
		l.twice = append(l.twice, got)
	}
	switch {
	case got.What != "writes":
		l.reports = append(l.reports, got)
	case got.Token < l.highest:
		l.refused = append(l.refused, got)
	default:
		l.highest, l.writer[got.Token] = got.Token, got.Who
	}
}

// said returns the reports of one kind, in the order in which they were made.
func (l *ledger) said(what string) (reports []report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.reports {
		if r.What == what {
			reports = append(reports, r)
		}
	}
	slices.SortFunc(reports, func(a, b report) int { return a.At.Compare(b.At) })
	return reports
}

// next waits for one report more of a kind than there were.
func (l *ledger) next(t *testing.T, what string, before int) report {
	t.Helper()
	testkit.Eventually(t, patience, "a contender "+what, func() bool { return len(l.said(what)) > before })
	return l.said(what)[before]
}

// check holds the ledger to what is promised under every fault but the loss of etcd's data.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	last := report{}
	for _, r := range l.said("holds") {
		if r.Token <= last.Token {
			t.Errorf("%s holds with token %d after %s with %d", r.Who, r.Token, last.Who, last.Token)
		}
		last = r
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.twice {
		t.Errorf("%s %s with token %d, which is that of %s", r.Who, r.What, r.Token, l.writer[r.Token])
	}
	t.Logf("measured: %d writes of holders that were late were refused", len(l.refused))
}

func (l *ledger) refusals() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.refused)
}

// contender starts one.
func contender(t *testing.T, name, server string, l *ledger) *testkit.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], server, l.url)
	cmd.Env = append(os.Environ(), contenderVariable+"="+name)
	return testkit.StartProcess(t, cmd)
}
