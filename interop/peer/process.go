package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// ErrGone is returned for a command whose process ended before it replied.
var ErrGone = errors.New("the process has ended")

// startTimeout bounds the wait for a program to say that it is ready.
const startTimeout = 20 * time.Second

// Process is a program that runs. Its methods are safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when the process is gone and reaped
	err  error         // how it ended, valid after done

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
}

// Start starts the program and waits until it is ready. What it writes to
// standard error goes to log. The caller ends it with Close or Kill.
func Start(log io.Writer, name string, args ...string) (*Process, error) {
	p := &Process{
		cmd:     exec.Command(name, args...),
		done:    make(chan struct{}),
		waiting: map[int]chan reply{0: make(chan reply, 1)},
	}
	p.cmd.Stderr = log
	// A child of the child may hold the pipes; it is not waited for.
	p.cmd.WaitDelay = time.Second
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := p.waiting[0]
	go p.read(out)
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case r := <-ready:
		if r.Ready {
			return p, nil
		}
		p.Kill()
		return nil, fmt.Errorf("start %s: its first line is not that it is ready", name)
	case <-p.done:
		return nil, fmt.Errorf("start %s: %w: %v", name, ErrGone, p.err)
	case <-timeout.C:
		p.Kill()
		return nil, fmt.Errorf("start %s: not ready within %v", name, startTimeout)
	}
}

// Do sends a command, waits for its reply and decodes that into result, unless it
// is nil. A command that failed returns an *Error.
func (p *Process) Do(ctx context.Context, op string, body, result any) error {
	replies, forget, err := p.send(op, body)
	if err != nil {
		return err
	}
	defer forget()
	return p.receive(ctx, replies, result)
}

// Watch sends a command that has many replies, and returns a function that waits
// for the next one and decodes it.
func (p *Process) Watch(op string, body any) (next func(ctx context.Context, result any) error, err error) {
	replies, _, err := p.send(op, body)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, result any) error { return p.receive(ctx, replies, result) }, nil
}

// Close ends the program as its user would, by the end of its input, and waits.
// It returns how the program ended.
func (p *Process) Close() error {
	// If it has ended already the pipe is closed, and the error says how.
	_ = p.in.Close()
	<-p.done
	return p.err
}

// Kill ends the program as a crash does, and waits. It may be called more than
// once, and after Close.
func (p *Process) Kill() {
	// The only possible failure is that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Freeze stops the program where it is. Its connections stay open; only Kill and
// Thaw reach it.
func (p *Process) Freeze() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen program go on.
func (p *Process) Thaw() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// send writes a command, and returns where its replies arrive.
func (p *Process) send(op string, body any) (<-chan reply, func(), error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, nil, fmt.Errorf("encode command %q: %w", op, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	id := p.last
	line, err := json.Marshal(command{ID: id, Op: op, Body: raw})
	if err != nil {
		return nil, nil, fmt.Errorf("encode command %q: %w", op, err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, nil, fmt.Errorf("send command %q: %w", op, errors.Join(err, ErrGone))
	}
	// Far more than a test leaves unread: the reader must not wait for it.
	replies := make(chan reply, 4096)
	p.waiting[id] = replies
	return replies, func() { p.forget(id) }, nil
}

func (p *Process) forget(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

func (p *Process) receive(ctx context.Context, replies <-chan reply, result any) error {
	select {
	case r := <-replies:
		switch {
		case r.Error != nil:
			return r.Error
		case result == nil:
			return nil
		}
		return json.Unmarshal(r.Body, result)
	case <-p.done:
		return ErrGone
	case <-ctx.Done():
		return fmt.Errorf("wait for a reply: %w", ctx.Err())
	}
}

// read hands out replies until the output ends, and reaps the process.
func (p *Process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, lineLimit)
	for lines.Scan() {
		var r reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			// Not a reply: the framework itself printed a line.
			continue
		}
		p.mu.Lock()
		replies := p.waiting[r.ID]
		p.mu.Unlock()
		if replies != nil {
			replies <- r
		}
	}
	p.err = errors.Join(lines.Err(), p.cmd.Wait())
	close(p.done)
}
