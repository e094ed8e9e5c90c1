package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/interop/peer"
)

// replyTimeout bounds every command.
const replyTimeout = 20 * time.Second

// program is a peer that runs.
type program struct {
	*peer.Process
	t    *testing.T
	kind kind
	log  log
}

// run starts a program of kind k that uses the etcd at address and calls under
// the name caller, with more flags if there are any. It ends with the test, in
// good order unless it was killed.
func run(t *testing.T, k kind, address, caller string, flags ...string) *program {
	t.Helper()
	return start(t, k, caller, exec.Command(k.binary(t), append([]string{"-registry", address, "-name", caller}, flags...)...))
}

// start starts a program of kind k by a command.
func start(t *testing.T, k kind, caller string, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, kind: k}
	process, err := peer.Start(&p.log, cmd.Args[0], cmd.Args[1:]...)
	if err != nil {
		t.Fatalf("start %s: %v\n%s", k, err, p.log.String())
	}
	p.Process = process
	t.Cleanup(func() {
		if err := p.Close(); err != nil && !p.log.killed() {
			t.Errorf("%s ended badly: %v", k, err)
		}
		if t.Failed() {
			t.Logf("output of %s (%s):\n%s", k, caller, p.log.String())
		}
	})
	return p
}

// crash ends the program as a power cut does.
func (p *program) crash() {
	p.log.kill()
	p.Kill()
}

// do sends a command and fails the test if that fails.
func (p *program) do(op string, body, result any) {
	p.t.Helper()
	if err := p.try(op, body, result); err != nil {
		p.t.Fatalf("%s: %s %+v: %v", p.kind, op, body, err)
	}
}

func (p *program) try(op string, body, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	return p.Do(ctx, op, body, result)
}

// start starts a service in the program.
func (p *program) start(s peer.Service) {
	p.t.Helper()
	p.do(peer.OpStart, s, nil)
}

// stop stops one.
func (p *program) stop(name string) {
	p.t.Helper()
	p.do(peer.OpStop, peer.Name{Name: name}, nil)
}

// call returns the answer to a call.
func (p *program) call(c peer.Call) (json.RawMessage, error) {
	var answer json.RawMessage
	err := p.try(peer.OpCall, c, &answer)
	return answer, err
}

// failure returns the error of a call that must fail.
func (p *program) failure(c peer.Call) *peer.Error {
	p.t.Helper()
	answer, err := p.call(c)
	var e *peer.Error
	if !errors.As(err, &e) {
		p.t.Fatalf("%s: call %+v: answer %s, error %v; want an error", p.kind, c, answer, err)
	}
	return e
}

// watch starts a watcher and returns a function that waits for its next event.
func (p *program) watch(name string) func(within time.Duration) (peer.Event, error) {
	p.t.Helper()
	next, err := p.Watch(peer.OpWatch, peer.Name{Name: name})
	if err != nil {
		p.t.Fatalf("%s: watch %q: %v", p.kind, name, err)
	}
	wait := func(within time.Duration) (e peer.Event, err error) {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		err = next(ctx, &e)
		return e, err
	}
	if _, err := wait(replyTimeout); err != nil {
		p.t.Fatalf("%s: watch %q: %v", p.kind, name, err)
	}
	return wait
}

// log keeps what a program writes.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	dead bool
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

func (l *log) killed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}
