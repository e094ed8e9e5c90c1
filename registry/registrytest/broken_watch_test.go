package registrytest_test

import (
	"errors"
	"sync"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// edited is a watcher whose results are changed.
type edited struct {
	registry.Watcher
	edit    func(*registry.Result) []*registry.Result
	pending []*registry.Result
}

func (e *edited) Next() (*registry.Result, error) {
	for len(e.pending) == 0 {
		r, err := e.Watcher.Next()
		if err != nil {
			return nil, err
		}
		e.pending = e.edit(r)
	}
	r := e.pending[0]
	e.pending = e.pending[1:]
	return r, nil
}

// tells makes a fault that changes what each watcher says, by a function of its own.
func tells(editor func() func(*registry.Result) []*registry.Result) func(*broken) {
	return func(b *broken) {
		watch := b.watch
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := watch(opts...)
			if err != nil {
				return nil, err
			}
			return &edited{Watcher: w, edit: editor()}, nil
		}
	}
}

// action makes a fault that tells one action as another.
func action(from, to registry.EventType) func(*broken) {
	return tells(func() func(*registry.Result) []*registry.Result {
		return func(r *registry.Result) []*registry.Result {
			if r.Action == from.String() {
				r.Action = to.String()
			}
			return []*registry.Result{r}
		}
	})
}

// only makes a fault that leaves out all results but the chosen ones.
func only(chooser func() func(*registry.Result) bool) func(*broken) {
	return tells(func() func(*registry.Result) []*registry.Result {
		choose := chooser()
		return func(r *registry.Result) []*registry.Result {
			if choose(r) {
				return []*registry.Result{r}
			}
			return nil
		}
	})
}

// stopping is a watcher that stops in another way.
type stopping struct {
	registry.Watcher
	next func() (*registry.Result, error)
	stop func()
}

func (s stopping) Next() (*registry.Result, error) { return s.next() }
func (s stopping) Stop()                           { s.stop() }

// watchers makes a fault of watchers themselves.
func watchers(replace func(registry.Watcher) registry.Watcher) func(*broken) {
	return func(b *broken) {
		watch := b.watch
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := watch(opts...)
			if err != nil {
				return nil, err
			}
			return replace(w), nil
		}
	}
}

var swapped = tells(func() func(*registry.Result) []*registry.Result {
	var held *registry.Result
	return func(r *registry.Result) []*registry.Result {
		if held == nil {
			held = r
			return nil
		}
		both := []*registry.Result{r, held}
		held = nil
		return both
	}
})

var watchFaults = []fault{
	{name: "create-as-update", test: "WatchActions", says: `want "create"`, breaks: action(registry.Create, registry.Update)}, // v2's memory
	{name: "update-as-create", test: "WatchActions", says: `want "update"`, breaks: action(registry.Update, registry.Create)}, // v2's mDNS
	{name: "no-delete", test: "WatchActions", says: "want the delete", breaks: action(registry.Delete, registry.Update)},
	{name: "delete-of-nobody", test: "WatchActions", says: "want the delete of node", breaks: tells(func() func(*registry.Result) []*registry.Result { // v2's Consul
		return func(r *registry.Result) []*registry.Result {
			if r.Action == "delete" {
				r.Service.Nodes = nil
			}
			return []*registry.Result{r}
		}
	})},
	{name: "each-twice", test: "WatchActions", says: `want "update"`, breaks: tells(func() func(*registry.Result) []*registry.Result { // v2's mDNS
		return func(r *registry.Result) []*registry.Result { return []*registry.Result{r, r} }
	})},
	{name: "what-was-there-is-told", test: "WatchActions", says: `"before"`, breaks: func(b *broken) {
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := b.inner.Watch(opts...)
			if err != nil {
				return nil, err
			}
			old := &edited{Watcher: w, edit: func(r *registry.Result) []*registry.Result { return []*registry.Result{r} }}
			all, _ := b.inner.ListServices()
			for _, s := range all {
				old.pending = append(old.pending, &registry.Result{Action: "create", Service: s})
			}
			return old, nil
		}
	}},
	{name: "all-are-watched", test: "WatchOne", says: "the watcher saw", breaks: func(b *broken) {
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			var o registry.WatchOptions
			for _, opt := range opts {
				opt(&o)
			}
			if len(o.Service) < 3 {
				return b.inner.Watch(opts...)
			}
			return b.inner.Watch()
		}
	}},
	{name: "no-place-is-watched", test: "WatchOne", says: "no error", breaks: func(b *broken) {
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := b.inner.Watch(opts...)
			if err != nil {
				return b.inner.Watch()
			}
			return w, nil
		}
	}},
	{name: "slow-readers-lose", test: "WatchBurst", says: "event 33 of 200", breaks: only(func() func(*registry.Result) bool { // v2's mDNS and memory
		n := 0
		return func(*registry.Result) bool { n++; return n <= 32 || n > 100 }
	})},
	{name: "neighbours-change-places", test: "WatchBurst", says: "event 1 of 200", breaks: swapped}, // v2's memory
	{name: "another-error-after-stop", test: "WatchStop", says: "want ErrWatcherStopped", breaks: watchers(func(w registry.Watcher) registry.Watcher { // v2's etcd
		return stopping{w, func() (*registry.Result, error) {
			if _, err := w.Next(); err != nil {
				return nil, errors.New("could not get next")
			}
			return nil, nil
		}, w.Stop}
	})},
	{name: "stop-does-not-release", test: "WatchStop", says: "did not return within", waits: true, breaks: watchers(func(w registry.Watcher) registry.Watcher {
		late := sync.OnceFunc(func() { time.AfterFunc(3*time.Second, w.Stop) })
		return stopping{w, w.Next, late}
	})},
	{name: "last-watcher-gets-nothing", test: "WatchersApart", says: "saw nothing", waits: true, breaks: func(b *broken) {
		n := 0
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			if n++; n == 3 {
				opts = append(opts, registry.WatchService("nobody"))
			}
			return b.inner.Watch(opts...)
		}
	}},
	{name: "one-stop-for-all", test: "WatchersApart", says: "watcher stopped", breaks: func(b *broken) {
		var all []registry.Watcher
		b.watch = func(opts ...registry.WatchOption) (registry.Watcher, error) {
			w, err := b.inner.Watch(opts...)
			all = append(all, w)
			return stopping{w, w.Next, func() {
				for _, each := range all {
					each.Stop()
				}
			}}, err
		}
	}},
}
