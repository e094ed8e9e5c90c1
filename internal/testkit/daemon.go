package testkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// daemon is a server of messages in a process of its own, with a fixed address and
// data directory. The process is killed at the end of the test, and what it wrote is
// logged if the test failed. The methods belong to the test's goroutine, except Addr,
// which is safe from all of them.
type daemon struct {
	name   string // "nats", say
	addr   string // host:port for clients
	dir    string // what it knows; gone after Wipe
	binary string
	// prepare writes what the process reads, for the address, and returns its
	// command line.
	prepare func() ([]string, error)
	// ask returns nil once the server takes clients.
	ask func(ctx context.Context) error

	mu      sync.Mutex
	running *process
	output  output
}

// launch starts the server on an address that nobody else takes meanwhile, and returns
// once it takes clients.
func (d *daemon) launch(t testing.TB) {
	t.Helper()
	d.dir = filepath.Join(t.TempDir(), "data")
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Logf("output of %s on %s:\n%s", d.name, d.addr, d.output.String())
		}
	})
	for attempt := 1; ; attempt++ {
		d.addr = freeAddr(t)
		d.start(t)
		err := d.ready()
		if err == nil {
			return
		}
		if attempt == startAttempts || d.process().alive() {
			t.Fatalf("start %s on %s: %v\n%s", d.name, d.addr, err, d.output.String())
		}
		d.Wipe()
	}
}

// Addr returns the host:port on which clients are served.
func (d *daemon) Addr() string { return d.addr }

// Kill ends the process as a crash does, frozen or not, and waits until it is gone. A
// process that does not run is left alone.
func (d *daemon) Kill() {
	if p := d.process(); p != nil {
		p.kill()
	}
}

// Stop ends the process as an operator does, and fails the test if it takes more than
// half a minute.
func (d *daemon) Stop(t testing.TB) {
	t.Helper()
	p := d.process()
	if p == nil || !p.alive() {
		return
	}
	if err := p.terminate(); err != nil {
		t.Fatalf("stop %s on %s: %v", d.name, d.addr, err)
	}
	if !p.waitFor(stopPatience) {
		p.kill()
		t.Fatalf("%s on %s does not stop", d.name, d.addr)
	}
}

// Freeze stops the process without ending it: connections stay open and nothing is
// answered, until Thaw. It returns once that is so.
func (d *daemon) Freeze(t testing.TB) {
	t.Helper()
	if err := d.process().freeze(); err != nil {
		t.Fatalf("freeze %s on %s: %v", d.name, d.addr, err)
	}
	for d.answers(100 * time.Millisecond) {
	}
}

// answers reports whether a client is taken within t.
func (d *daemon) answers(t time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), t)
	defer cancel()
	return d.ask(ctx) == nil
}

// Thaw lets a frozen process go on.
func (d *daemon) Thaw(t testing.TB) {
	t.Helper()
	if err := d.process().thaw(); err != nil {
		t.Fatalf("thaw %s on %s: %v", d.name, d.addr, err)
	}
}

// Restart starts the server on the same address and data, after a Stop if it runs, and
// returns once it takes clients.
func (d *daemon) Restart(t testing.TB) {
	t.Helper()
	d.Stop(t)
	d.start(t)
	if err := d.ready(); err != nil {
		t.Fatalf("restart %s on %s: %v", d.name, d.addr, err)
	}
}

// Wipe kills the process and removes its data. A Restart begins empty.
func (d *daemon) Wipe() {
	d.Kill()
	// What is left behind makes the next start fail, which reports it.
	_ = os.RemoveAll(d.dir)
}

func (d *daemon) process() *process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running
}

// start starts the process and does not wait for it.
func (d *daemon) start(t testing.TB) {
	t.Helper()
	err := os.MkdirAll(d.dir, 0o755)
	var args []string
	if err == nil {
		args, err = d.prepare()
	}
	var p *process
	if err == nil {
		p, err = startProcess(d.binary, args, &d.output)
	}
	if err != nil {
		t.Fatalf("start %s: %v", d.name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = p
}

// ready asks until the server takes clients, the process has ended or the time is up.
func (d *daemon) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	p := d.process()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	var last error
	for ctx.Err() == nil {
		if last = d.ask(ctx); last == nil {
			return nil
		}
		waitFor(ctx, 10*time.Millisecond)
	}
	if !p.alive() {
		return fmt.Errorf("the process has ended: %w", last)
	}
	return last
}
