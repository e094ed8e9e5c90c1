package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// childGrace is how long a child may take to end before it is killed.
const childGrace = 10 * time.Second

// Process is a micro command in a process of its own.
type Process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of standard output; closed at its end
	// stderr is what the child wrote there. It may be read when lines is closed.
	stderr bytes.Buffer
	// End closes its standard input, by which it ends, and waits for it. Every call
	// returns how it ended.
	End func() error
}

// Start starts this program with other arguments, and with env added to the
// environment. The caller must End it.
func Start(env []string, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &Process{cmd: exec.Command(self, args...), lines: make(chan string)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.cmd, err)
	}
	quit, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		in := bufio.NewScanner(out)
		for in.Scan() {
			select {
			case p.lines <- in.Text():
			case <-quit:
			}
		}
	}()
	p.End = sync.OnceValue(func() error {
		close(quit)
		_ = p.stdin.Close()
		kill := time.AfterFunc(childGrace, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		<-read
		return p.cmd.Wait()
	})
	return p, nil
}

// Line returns the next line of the child's standard output.
func (p *Process) Line(ctx context.Context) (string, error) {
	select {
	case s, ok := <-p.lines:
		if ok {
			return s, nil
		}
		err := p.End()
		if said := strings.TrimSpace(p.stderr.String()); said != "" {
			err = errors.New(said[strings.LastIndexByte(said, '\n')+1:])
		}
		return "", fmt.Errorf("%s ended: %w", p.cmd.Args[1:], err)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Tell writes a line to the child's standard input.
func (p *Process) Tell(line string) error {
	_, err := io.WriteString(p.stdin, line+"\n")
	return err
}
