package registrytest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// errors asks a registry whose directory does not answer: nobody is told that there
// is nothing, everybody is told where the fault is, and whoever gives up is released.
func (s *suite) errors(t *testing.T) {
	if s.unreachable == nil {
		s.lacks(t, s.open(t), "unreachable", "no registry was given that does not answer")
	}
	begun := time.Now()
	r, shows := s.unreachable(t)
	if took := time.Since(begun); took > s.patience {
		t.Errorf("the constructor took %v: it must not ask anybody", took)
	}
	_, _ = r.Options(), r.String()
	hello := service("hello", "1", "a")
	for what, call := range map[string]func(context.Context) error{
		"register": func(ctx context.Context) error { return r.Register(hello, registry.RegisterContext(ctx)) },
		"look up": func(ctx context.Context) error {
			_, err := r.GetService("hello", registry.GetContext(ctx))
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := r.ListServices(registry.ListContext(ctx))
			return err
		},
		"watch": func(ctx context.Context) error {
			w, err := r.Watch(registry.WatchContext(ctx))
			if err == nil {
				w.Stop()
			}
			return err
		},
	} {
		t.Run(strings.ReplaceAll(what, " ", ""), func(t *testing.T) {
			err := s.within(t, what, func() error { return call(t.Context()) })
			if err == nil || errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), shows) {
				t.Errorf("%s while nobody answers: got error %v, want one that shows %s and is not ErrNotFound", what, err, shows)
			}
			if s.noContexts {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := s.within(t, what, func() error { return call(ctx) }); err == nil || errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s with a context that ends: got error %v", what, err)
			}
		})
	}
}

// within returns the error of call, and fails the test if it does not come in time.
func (s *suite) within(t *testing.T, what string, call func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case err := <-ended:
		return err
	case <-timeout.C:
		t.Fatalf("%s did not return within %v", what, s.patience)
		return nil
	}
}
