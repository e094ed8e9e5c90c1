package http

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// mute returns the address of somebody who takes connections and never says anything, as
// a process that is frozen does.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var taken []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			taken = append(taken, c)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
		for _, c := range taken {
			_ = c.Close()
		}
	})
	return l.Addr().String()
}

// A request to a silent node goes elsewhere if it may, and the node is called last.
func TestASilentNodeIsLeft(t *testing.T) {
	r := newMemory(t)
	silent := mute(t)
	register(t, r, silent, nil)
	serve(t, r, whoami, nil)
	rt := newRoundTripper(t, r)
	begun := time.Now()
	var longest time.Duration
	for range 50 {
		at := time.Now()
		text, err := ask(t, rt, http.MethodGet, nil)
		if err != nil || text == silent {
			t.Fatalf("answered %q, %v", text, err)
		}
		longest = max(longest, time.Since(at))
	}
	// One question takes a connection, half a second of silence and as much for its answer.
	if longest > 10*time.Second || time.Since(begun) > 30*time.Second {
		t.Errorf("the longest of the requests took %s, all of them %s", longest, time.Since(begun))
	}
}

// A request that may not be made again does not wait for ever.
func TestARequestToASilentNodeEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds of silence")
	}
	t.Parallel()
	r := newMemory(t)
	register(t, r, mute(t), nil)
	rt := newRoundTripper(t, r)
	at := time.Now()
	_, err := ask(t, rt, http.MethodPost, strings.NewReader("x"))
	if !errors.Is(err, errSilent) || time.Since(at) < silentAtMost {
		t.Errorf("ended after %s with %v", time.Since(at), err)
	}
}

// A slow handler is no silence.
func TestASlowNodeIsNotSilent(t *testing.T) {
	t.Parallel()
	r := newMemory(t)
	serve(t, r, func(w http.ResponseWriter, req *http.Request) {
		timer := time.NewTimer(3 * defaults.NodeSilence)
		defer timer.Stop()
		<-timer.C
		whoami(w, req)
	}, nil)
	rt := newRoundTripper(t, r)
	if text, err := ask(t, rt, http.MethodGet, nil); err != nil || text == "" {
		t.Errorf("answered %q, %v", text, err)
	}
}

// What was silent or refused is called again when it answers.
func TestANodeComesBack(t *testing.T) {
	address := dead(t)
	rt := newRoundTripper(t, newMemory(t))
	n := rt.nodes.of(endpoint.Endpoint{Host: address})
	rt.nodes.failed = func(string) {}
	n.Connect()
	testkit.Eventually(t, 20*time.Second, "failing", func() bool { return n.State() == endpoint.Failing })
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the address was taken meanwhile: %v", err)
	}
	s := &http.Server{Handler: http.HandlerFunc(whoami), ReadHeaderTimeout: time.Minute}
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(l) })
	defer wg.Wait()
	defer s.Close()
	testkit.Eventually(t, 20*time.Second, "ready", func() bool { return n.State() == endpoint.Ready })
}

// A request ends with its context, and leaves nothing behind.
func TestARequestEndsWithItsContext(t *testing.T) {
	r := newMemory(t)
	register(t, r, mute(t), nil)
	rt := newRoundTripper(t, r)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+name+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
