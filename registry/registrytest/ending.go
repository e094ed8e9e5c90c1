package registrytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// contexts checks that an operation whose context is over says so, that a
// registration does nothing then, and that a watch ends with its context. Who
// deregisters gives the node up in any case.
func (s *suite) contexts(t *testing.T) {
	r := s.open(t)
	if s.noContexts {
		s.lacks(t, r, "contexts", "the backend takes no notice of contexts")
	}
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the caller went home"))
	stays, leaves := service("stays", "1", "a"), service("leaves", "1", "a")
	mustRegister(t, r, stays)
	mustRegister(t, r, leaves, registry.RegisterTTL(100*s.ttl))
	s.holds(t, r, "stays", stays)
	s.holds(t, r, "leaves", leaves)
	for what, call := range map[string]func() error{
		"register":   func() error { return r.Register(service("hello", "1", "a"), registry.RegisterContext(over)) },
		"deregister": func() error { return r.Deregister(leaves, registry.DeregisterContext(over)) },
		"look up": func() error {
			_, err := r.GetService("stays", registry.GetContext(over))
			return err
		},
		"list": func() error {
			_, err := r.ListServices(registry.ListContext(over))
			return err
		},
		"watch": func() error {
			w, err := r.Watch(registry.WatchContext(over))
			if err == nil {
				w.Stop()
			}
			return err
		},
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that is over: got error %v, want context.Canceled", what, err)
		}
	}
	s.holds(t, r, "stays", stays)
	s.holds(t, r, "hello")
	if err := poll(s.patience, func() error {
		if got, err := r.GetService("leaves"); !errors.Is(err, registry.ErrNotFound) {
			return fmt.Errorf("deregistered with a context that is over, the node was not given up: got error %v and\n%s", err, describe(got...))
		}
		return nil
	}); err != nil {
		t.Error(err)
	}

	ctx, end := context.WithCancel(t.Context())
	defer end()
	w, err := r.Watch(registry.WatchContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	end()
	s.ends(t, w, "the end of its context")
}

// ends checks that Next returns ErrWatcherStopped in time.
func (s *suite) ends(t *testing.T, w registry.Watcher, after string) {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := w.Next(); err != nil {
				ended <- err
				return
			}
		}
	}()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case err := <-ended:
		if !errors.Is(err, registry.ErrWatcherStopped) {
			t.Errorf("after %s Next returned %v, want ErrWatcherStopped", after, err)
		}
	case <-timeout.C:
		t.Errorf("Next did not return within %v of %s", s.patience, after)
		w.Stop()
		<-ended
	}
}

// closing checks what a registry does after Close.
func (s *suite) closing(t *testing.T) {
	r := s.open(t)
	closer, ok := r.(io.Closer)
	if !ok {
		s.lacks(t, r, "close", "the backend has no Close")
	}
	hello := service("hello", "1", "a")
	mustRegister(t, r, hello)
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for range 2 {
		if err := closer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	s.ends(t, w, "Close")
	for what, call := range map[string]func() error{
		"init":       func() error { return r.Init() },
		"register":   func() error { return r.Register(hello) },
		"deregister": func() error { return r.Deregister(hello) },
		"look up":    func() error { _, err := r.GetService("hello"); return err },
		"list":       func() error { _, err := r.ListServices(); return err },
		"watch":      func() error { _, err := r.Watch(); return err },
	} {
		if err := call(); !errors.Is(err, registry.ErrClosed) {
			t.Errorf("%s after Close: got error %v, want ErrClosed", what, err)
		}
	}
	_, _ = r.Options(), r.String()
}
