package registrytest_test

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-go/micro/registry"
)

var endingFaults = []fault{
	{name: "contexts-are-ignored", test: "Contexts", says: "look up with a context that is over: got error <nil>", breaks: func(b *broken) { // v2's, all of them
		b.get = func(name string, _ ...registry.GetOption) ([]*registry.Service, error) {
			return b.inner.GetService(name)
		}
	}},
	{name: "registered-without-time", test: "Contexts", says: "ErrNotFound", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			err := b.inner.Register(s, opts...)
			if errors.Is(err, context.Canceled) {
				_ = b.inner.Register(s)
			}
			return err
		}
	}},
	{name: "deregistered-without-time", test: "Contexts", says: "the node was not given up", waits: true, breaks: func(b *broken) {
		b.deregister = func(s *registry.Service, opts ...registry.DeregisterOption) error {
			var o registry.DeregisterOptions
			for _, opt := range opts {
				opt(&o)
			}
			if o.Context != nil && o.Context.Err() != nil {
				return o.Context.Err()
			}
			return b.inner.Deregister(s, opts...)
		}
	}},
	{name: "cause-hides-the-error", test: "Contexts", says: "want context.Canceled", breaks: func(b *broken) {
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			var o registry.ListOptions
			for _, opt := range opts {
				opt(&o)
			}
			if o.Context != nil && o.Context.Err() != nil {
				return nil, context.Cause(o.Context)
			}
			return b.inner.ListServices()
		}
	}},
	{name: "watch-outlives-its-context", test: "Contexts", says: "Next did not return within", waits: true, breaks: func(b *broken) {
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := b.inner.Watch(opts...)
			if err != nil {
				return nil, err
			}
			w.Stop()
			return b.inner.Watch()
		}
	}},
	{name: "away-is-nobody", test: "Errors", says: "look up while nobody answers", away: func(b *broken) {
		b.get = func(string, ...registry.GetOption) ([]*registry.Service, error) { return nil, registry.ErrNotFound }
	}},
	{name: "away-is-empty", test: "Errors", says: "list while nobody answers", away: func(b *broken) {
		b.list = func(...registry.ListOption) ([]*registry.Service, error) { return nil, nil }
	}},
	{name: "away-without-an-address", test: "Errors", says: "want one that shows", away: func(b *broken) {
		b.watch = func(...registry.WatchOption) (registry.Watcher, error) { return nil, errors.New("nobody is there") }
	}},
	{name: "away-without-end", test: "Errors", says: "register did not return within", waits: true, away: func(b *broken) { // v2's etcd
		b.register = func(*registry.Service, ...registry.RegisterOption) error {
			over, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			<-over.Done()
			return over.Err()
		}
	}},
	{name: "close-closes-nothing", test: "Close", says: "look up after Close", breaks: func(b *broken) {
		inner := b.get
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			if got, err := inner(name, opts...); !errors.Is(err, registry.ErrClosed) {
				return got, err
			}
			return nil, registry.ErrNotFound
		}
	}},
	{name: "close-once", test: "Close", says: "close: ", breaks: func(b *broken) {
		closed := false
		b.close = func() error {
			if closed {
				return errors.New("it is closed")
			}
			closed = true
			return b.inner.Close()
		}
	}},
	{name: "watch-outlives-close", test: "Close", says: "did not return within", waits: true, breaks: func(b *broken) {
		watch := b.watch
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := watch(opts...)
			if err != nil {
				return nil, err
			}
			over, stop := context.WithCancel(context.Background())
			return stopping{w, func() (*registry.Result, error) {
				r, err := w.Next()
				if err != nil {
					<-over.Done()
				}
				return r, err
			}, func() { stop(); w.Stop() }}, nil
		}
	}},
	{name: "goroutine-for-each-watch", test: "Leaks", says: "goroutines", waits: true, breaks: func(b *broken) {
		watch := b.watch
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			go func() { <-make(chan struct{}) }()
			return watch(opts...)
		}
	}},
}
