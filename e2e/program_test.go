package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

const terminate = syscall.SIGTERM

// program is one of the programs of this package at work.
type program struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; read it after done

	mu  sync.Mutex
	out bytes.Buffer
}

// startProgram starts a program; it is killed at the end of the test.
func startProgram(t *testing.T, name string, env []string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(filepath.Join(programs(t), name), args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		// The only possible failure is that it has ended already.
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output())
		}
	})
	return p
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit code.
func (p *program) wait(t *testing.T, within time.Duration) int {
	t.Helper()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		t.Fatalf("the program has not ended within %v", within)
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode()
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return 0
}

// says waits for a line and returns what the first group of the pattern matched.
func (p *program) says(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	testkit.Eventually(t, 10*time.Second, "the program says "+pattern, func() bool {
		found = re.FindStringSubmatch(p.output())
		return found != nil
	})
	return found[len(found)-1]
}
