package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
)

// mixerVariable makes a test binary a mixer: its value is the pause.
const mixerVariable = "ROLLCALL_FLEET_MIXER"

// mixers is how many goroutines of a mixer call at once.
const mixers = 20

// mixedKept is how many different errors a mixer keeps.
const mixedKept = 200

// Mixed is what became of the calls and streams of a mixer.
type Mixed struct {
	Succeeded map[string]int // by kind
	Failed    map[string]int // by kind
	Errors    map[string]int // by kind and text
	Wrong     []string       // answers that are not the one to the question
	Slowest   time.Duration  // of any call or stream
	// How many goroutines there were before and after.
	Before, After int
}

// Mixer starts a process in which twenty goroutines make calls and streams of every
// kind, of the service ProcessName, with checksums in whatever is sent, and a pause
// after each. It mixes when Mixer returns, until Unmix.
func Mixer(t testing.TB, pause time.Duration, flags ...string) *testkit.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], flags...)
	cmd.Env = append(os.Environ(), mixerVariable+"="+pause.String())
	p := testkit.StartProcess(t, cmd)
	p.Says(t, "mixing")
	return p
}

// Unmix ends the calls of a mixer and returns what became of them. The mixer keeps its
// connections until it is stopped.
func Unmix(t testing.TB, p *testkit.Process) (m Mixed) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	if err := json.Unmarshal([]byte(p.Says(t, "mixed: (.*)\n")), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// leftBehind bounds how long what a call leaves behind for a moment may stay.
const leftBehind = 20 * time.Second

// runMixer is a process that mixes calls until SIGTERM, then says what became of
// them, and ends at another.
func runMixer(text string) error {
	pause, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	s := micro.NewService(micro.Name("mixer"))
	s.Init()
	stop, done := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer done()
	again := make(chan os.Signal, 2) // both
	signal.Notify(again, syscall.SIGTERM)
	names := slices.Sorted(maps.Keys(conversations))
	for _, name := range names { // each once, so that all connections are there
		for conversations[name](stop, s.Client(), ProcessName) != nil && stop.Err() == nil {
			wait(stop, 100*time.Millisecond)
		}
	}
	m := mixing{Mixed: Mixed{Succeeded: map[string]int{}, Failed: map[string]int{}, Errors: map[string]int{}}}
	m.Before = runtime.NumGoroutine()
	fmt.Println("mixing")
	var all sync.WaitGroup
	for i := range mixers {
		all.Go(func() {
			for turn := i; stop.Err() == nil; turn++ {
				m.converse(s.Client(), ProcessName, names[turn%len(names)])
				wait(stop, pause)
			}
		})
	}
	all.Wait()
	settle, over := context.WithTimeout(context.Background(), leftBehind)
	defer over()
	for m.After = runtime.NumGoroutine(); m.After > m.Before && settle.Err() == nil; m.After = runtime.NumGoroutine() {
		wait(settle, 50*time.Millisecond)
	}
	result, err := json.Marshal(&m.Mixed)
	fmt.Printf("mixed: %s\n", result)
	<-again
	<-again
	return err
}

// mixing keeps what becomes of the calls.
type mixing struct {
	mu sync.Mutex
	Mixed
}

func (m *mixing) converse(c client.Client, service, name string) {
	began := time.Now()
	// It is not cut off by the end: it would have failed for no other reason.
	err := conversations[name](context.Background(), c, service)
	took := time.Since(began)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Slowest = max(m.Slowest, took)
	switch {
	case err == nil:
		m.Succeeded[name]++
		return
	case isWrong(err):
		m.Wrong = append(m.Wrong, name+": "+err.Error())
	}
	m.Failed[name]++
	if text := name + ": " + err.Error(); len(m.Errors) < mixedKept || m.Errors[text] > 0 {
		m.Errors[text]++
	}
}
