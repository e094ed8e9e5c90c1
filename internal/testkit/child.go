package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// sayPatience is how long a test waits for a line of a child's output.
	sayPatience = 30 * time.Second
	// stopPatience is how long a child may take to end when it is asked to.
	stopPatience = 30 * time.Second
	// childOutputLimit is how much of a child's output is kept. Tests count lines,
	// so it is more than a child of a test ever writes.
	childOutputLimit = 16 << 20
	// childLogLines is how many lines of a failed test's child are logged, of its
	// beginning and of its end.
	childLogLines = 200
)

// Process is a program that a test runs as a child of its own. Its methods are
// safe for concurrent use, but for those that fail the test.
type Process struct {
	child *process
	out   output
}

// StartProcess starts a command. It is killed at the end of the test at the
// latest, and what it wrote is logged if the test failed: the beginning and the end of
// it, if it is much.
func StartProcess(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{out: output{limit: childOutputLimit}}
	child, err := startChild(cmd, &p.out)
	if err != nil {
		t.Fatal(err)
	}
	p.child = child
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("output of %v:\n%s", cmd.Args, inBrief(t, p.Output()))
		}
	})
	return p
}

// inBrief leaves out the middle of a long output, and saves the whole.
func inBrief(t testing.TB, text string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	left := len(lines) - 2*childLogLines
	if left <= 0 {
		return text
	}
	Artifact(t, "output.txt", []byte(text))
	head, tail := lines[:childLogLines], lines[len(lines)-childLogLines:]
	return fmt.Sprintf("%s[%d lines are left out here]\n%s", strings.Join(head, ""), left, strings.Join(tail, ""))
}

// Output returns what the process wrote so far, to standard output and error.
func (p *Process) Output() string { return p.out.String() }

// Lines returns how many lines of the output have text in them.
func (p *Process) Lines(text string) int {
	n := 0
	for line := range strings.Lines(p.Output()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// Says waits for output that matches the pattern, and returns what its last group
// matched, all of it if there is no group.
func (p *Process) Says(t testing.TB, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	Eventually(t, sayPatience, "the process says "+pattern, func() bool {
		found = re.FindStringSubmatch(p.Output())
		return found != nil
	})
	return found[len(found)-1]
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.child.cmd.Process.Pid }

// Kill ends the process as kill -9 does, and waits until it is gone.
func (p *Process) Kill() { p.child.kill() }

// Signal sends a signal.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.child.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Wait returns the exit code, -1 if a signal ended the process. It fails the test
// if the process has not ended within the time.
func (p *Process) Wait(t testing.TB, within time.Duration) int {
	t.Helper()
	if !p.child.waitFor(within) {
		t.Fatalf("the process has not ended within %v", within)
	}
	var exit *exec.ExitError
	if errors.As(p.child.err, &exit) {
		return exit.ExitCode()
	}
	if p.child.err != nil {
		t.Fatal(p.child.err)
	}
	return 0
}

// Stop asks the process to end, and fails the test if it does not.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	p.Wait(t, stopPatience)
}

// Freeze stops the process where it is, as a debugger, a hypervisor or a host that
// sleeps does. Its connections stay open; nothing is answered.
func (p *Process) Freeze(t testing.TB) {
	t.Helper()
	if err := p.child.freeze(); err != nil {
		t.Fatal(err)
	}
}

// Thaw lets a frozen process go on.
func (p *Process) Thaw(t testing.TB) {
	t.Helper()
	if err := p.child.thaw(); err != nil {
		t.Fatal(err)
	}
}
