package faults

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
)

// nodeVariable makes this test binary a service: its value says how many times
// the service calls Init.
const nodeVariable = "ROLLCALL_FAULTS_NODE"

// runNode is the main function of a process that is a node and nothing else. Its
// flags are those of every service.
func runNode() {
	inits, err := strconv.Atoi(os.Getenv(nodeVariable))
	if err != nil {
		logger.Fatal(err)
	}
	s := micro.NewService(micro.Name("node"), micro.Address("127.0.0.1:0"))
	for range inits {
		s.Init()
	}
	if err := micro.RegisterHandler(s.Server(), Echo{}); err != nil {
		logger.Fatal(err)
	}
	if err := s.Run(); err != nil {
		logger.Fatal(err)
	}
}

// process is a node in a process of its own.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu  sync.Mutex
	out bytes.Buffer
}

// startNode starts a node with these flags; it is killed at the end of the test.
func startNode(t *testing.T, inits int, flags ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], flags...)
	cmd.Env = append(os.Environ(), nodeVariable+"="+strconv.Itoa(inits))
	return startProcess(t, cmd)
}

// startProcess starts a command; it is killed at the end of the test.
func startProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is seen in its output
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %v:\n%s", p.cmd.Args[1:], p.output())
		}
	})
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// lines returns how many lines of the output have text in them.
func (p *process) lines(text string) int {
	n := 0
	for line := range strings.Lines(p.output()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// says waits for a line with text.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	testkit.Eventually(t, patience, "the process says "+text, func() bool { return p.lines(text) > 0 })
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	// The only possible failure is that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end and fails the test if it does not within ten
// seconds.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		t.Fatal("the process does not stop")
	}
}
