package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
)

const childName = "end_with_stdin"

// childFlag marks a process that another micro started. It ends when its standard
// input does: when the parent closes it, or is gone, however it ended. This works
// on every system.
func childFlag() cli.Flag { return &cli.BoolFlag{Name: childName, Hidden: true} }

// followParent is the Before of every command line.
func followParent(c *cli.Context) error {
	if !c.Bool(childName) {
		return nil
	}
	leaveInterruptsToParent()
	ctx, cancel := context.WithCancel(c.Context)
	c.Context = ctx
	// Lives as long as the process.
	go func() {
		defer cancel()
		// An error is an end as well.
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return nil
}

// leaveInterruptsToParent is for a child: a terminal sends Ctrl-C to both, and the
// parent ends its children in the right order.
func leaveInterruptsToParent() { signal.Ignore(os.Interrupt) }

// childGrace is how long a child may take to end before it is killed.
const childGrace = 10 * time.Second

// process is a micro command in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of standard output; closed at its end
	// stderr is what the child wrote there. It may be read when lines is closed.
	stderr bytes.Buffer
	end    func() error
}

// startChild starts this program with other arguments, and with env added to the
// environment. The caller must end it.
func startChild(env []string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &process{cmd: exec.Command(self, args...), lines: make(chan string)}
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
	p.end = sync.OnceValue(func() error {
		close(quit)
		_ = p.stdin.Close()
		kill := time.AfterFunc(childGrace, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		<-read
		return p.cmd.Wait()
	})
	return p, nil
}

// line returns the next line of the child's standard output.
func (p *process) line(ctx context.Context) (string, error) {
	select {
	case s, ok := <-p.lines:
		if ok {
			return s, nil
		}
		err := p.end()
		if said := strings.TrimSpace(p.stderr.String()); said != "" {
			err = errors.New(said[strings.LastIndexByte(said, '\n')+1:])
		}
		return "", fmt.Errorf("%s ended: %w", p.cmd.Args[1:], err)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// tell writes a line to the child's standard input.
func (p *process) tell(line string) error {
	_, err := io.WriteString(p.stdin, line+"\n")
	return err
}
