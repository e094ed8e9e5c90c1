package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// watching runs `micro watch` in this process. It returns the lines of its standard
// output once nothing is missed any more, and what ends it and returns the exit
// code.
func watching(t *testing.T, args ...string) (lines *bufio.Scanner, end func() int) {
	t.Helper()
	return following(t, append([]string{"watch"}, args...)...)
}

// following is watching for any command that goes on until it is interrupted.
func following(t *testing.T, args ...string) (lines *bufio.Scanner, end func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	errs, stderr := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"micro"}, args...), stdout, stderr)
		stdout.Close()
		stderr.Close()
	}()
	t.Cleanup(cancel)
	begun := bufio.NewScanner(errs)
	if !begun.Scan() || !strings.HasPrefix(begun.Text(), "watching ") {
		t.Fatalf("the watch did not begin: %q, exit code %d", begun.Text(), <-code)
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	return bufio.NewScanner(out), func() int {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, out) }()
		return <-code
	}
}

func TestWatch(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := etcd.NewRegistry(registry.Addrs(server.Addr()))
	defer r.(io.Closer).Close()
	service := func(version string) *registry.Service {
		return &registry.Service{Name: "shop", Version: version, Nodes: []*registry.Node{{Id: "shop-1", Address: "10.0.0.1:80"}}}
	}
	other := &registry.Service{Name: "other", Nodes: []*registry.Node{{Id: "other-1", Address: "10.0.0.2:80"}}}

	all, endAll := watching(t, "--registry_address", server.Addr())
	one, endOne := watching(t, "shop", "-o", "json", "--registry_address", server.Addr())
	for _, step := range []func() error{
		func() error { return r.Register(other) },
		func() error { return r.Register(service("1")) },
		func() error { return r.Register(service("2")) },
		func() error { return r.Deregister(service("2")) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"create other  other-1 10.0.0.2:80", "create shop 1 shop-1 10.0.0.1:80", "update shop 2 shop-1 10.0.0.1:80", "delete shop 2 shop-1 10.0.0.1:80"} {
		if !all.Scan() {
			t.Fatalf("there is no line %q", want)
		}
		time, rest, _ := strings.Cut(all.Text(), " ")
		if got := strings.Join(strings.Fields(rest), " "); got != strings.Join(strings.Fields(want), " ") || len(time) != len("15:04:05.000") {
			t.Errorf("got %q, want %q", all.Text(), want)
		}
	}
	for _, want := range []string{"create 1", "update 2", "delete 2"} {
		if !one.Scan() {
			t.Fatalf("there is no line for %q", want)
		}
		var e event
		if err := json.Unmarshal(one.Bytes(), &e); err != nil {
			t.Fatalf("read %q: %v", one.Text(), err)
		}
		if got := fmt.Sprintf("%s %s", e.Action, e.Version); got != want || e.Service != "shop" || e.Node != "shop-1" || e.Time.IsZero() {
			t.Errorf("got %q, want %q", one.Text(), want)
		}
	}
	if a, b := endAll(), endOne(); a != exitOK || b != exitOK {
		t.Errorf("exit codes %d and %d after an interrupt", a, b)
	}
}

// TestWatchOutOfTouch shows that somebody who watches is told when nothing can be
// seen.
func TestWatchOutOfTouch(t *testing.T) {
	server := testkit.StartEtcd(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs, stderr := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"micro", "watch", "--registry_address", server.Addr()}, io.Discard, stderr)
		stderr.Close()
	}()
	said := bufio.NewScanner(errs)
	next := func(want string) {
		t.Helper()
		if !said.Scan() || !strings.Contains(said.Text(), want) || !strings.Contains(said.Text(), server.Addr()) {
			t.Fatalf("it says %q, want %q", said.Text(), want)
		}
	}
	next("watching all services")
	for range 2 {
		server.Kill()
		next("out of touch with etcd at ")
		server.Restart(t)
		next("in touch with etcd at ")
	}
	cancel()
	if c := <-code; c != exitOK || said.Scan() {
		t.Errorf("exit code %d, it says %q", c, said.Text())
	}
}

func TestWatchThatCannotBegin(t *testing.T) {
	code, stdout, stderr := micro(t, "watch", "--registry_address=127.0.0.1:1")
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, "connection refused") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr := micro(t, "watch", "a", "b"); code != exitUsage || !strings.Contains(stderr, `unexpected argument "b"`) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
