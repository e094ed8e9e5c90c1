package config

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/loader/memory"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/reader/json"
	"github.com/rollcall-go/micro/config/source"
)

// config has no goroutine with the Loader of this house, which calls it. With another
// one it has one that follows it.
type config struct {
	values atomic.Pointer[state]
	parts  parts

	mu   sync.Mutex
	opts Options
	// own is the Loader if it was made here.
	own    loader.Loader
	number int    // how many Loaders there were before
	stop   func() // ends the following of another's Loader, nil: there is none
	// instance is who reads, nil if nobody said.
	instance *source.Instance
	closed   bool
}

// origin is where values come from: a Loader, with what reads its snapshots.
type origin struct {
	loader.Loader
	read   reader.Reader
	number int
}

// state is what is loaded. Versions of two Loaders cannot be compared, so their numbers
// are.
type state struct {
	reader.Values
	number  int
	version string
}

// observed is what the Loader of this house can do beyond the contract.
type observed interface {
	Observe(func(v reader.Values, version string))
}

func newConfig() *config {
	c := new(config)
	c.opts.Reader = json.NewReader()
	c.setLoader()
	empty, err := c.opts.Reader.Merge()
	if err == nil {
		_ = c.store(c.origin(), &loader.Snapshot{ChangeSet: empty})
	}
	return c
}

// setLoader makes the Loader. c.mu is held, or nobody else knows c.
func (c *config) setLoader() {
	c.own = memory.NewLoader(memory.WithReader(c.opts.Reader))
	c.opts.Loader = c.own
	c.observe()
}

// observe makes the Loader's snapshots the values of c. c.mu is held.
func (c *config) observe() {
	number := c.number
	if l, ok := c.opts.Loader.(observed); ok {
		l.Observe(func(v reader.Values, version string) { c.put(&state{v, number, version}) })
	}
	c.waitFor(c.opts.Loader, number)
}

// store makes s the values of c, unless they are newer.
func (c *config) store(o origin, s *loader.Snapshot) error {
	values, err := o.read.Values(s.ChangeSet)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	c.put(&state{values, o.number, s.Version})
	return nil
}

func (c *config) put(next *state) {
	for {
		now := c.values.Load()
		if now != nil && (now.number > next.number || now.number == next.number && now.version > next.version) {
			return
		}
		if c.values.CompareAndSwap(now, next) {
			return
		}
	}
}

func (c *config) String() string { return "config" }

// GoString implements fmt.GoStringer: what is in a configuration may be secret.
func (c *config) GoString() string { return c.String() }

func (c *config) Options() Options {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.opts
	o.Source = append([]source.Source(nil), o.Source...)
	return o
}

// Init applies opts to what is in force. Another Reader or Loader takes the place of
// the present one with all its sources. Init also opens a Config that was closed.
func (c *config) Init(opts ...Option) error {
	c.mu.Lock()
	before, closed := c.opts, c.closed
	loaded := len(c.opts.Source)
	for _, o := range opts {
		o(&c.opts)
	}
	added := c.opts.Source[min(loaded, len(c.opts.Source)):]
	var former loader.Loader
	var stop func()
	another := c.opts.Loader != before.Loader || c.opts.Reader != before.Reader || closed
	if another {
		former, stop = c.own, c.stop
		c.number++
		c.own, c.stop, c.closed = nil, nil, false
		added = c.opts.Source
		if c.opts.Loader == former || c.opts.Loader == nil {
			c.setLoader()
		} else {
			c.observe()
		}
	}
	c.identify()
	current := origin{c.opts.Loader, c.opts.Reader, c.number}
	c.mu.Unlock()

	if stop != nil {
		stop()
	}
	var closing error
	if former != nil {
		closing = former.Close()
	}
	err := c.load(current, added)
	if another {
		c.parts.follow(current.number)
	}
	return errors.Join(closing, err)
}

// SetInstance implements source.Instanced, for whatever Loader there is and will be.
func (c *config) SetInstance(i source.Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance = &i
	c.identify()
}

// Leave implements source.Leaver.
func (c *config) Leave(ctx context.Context) error {
	if l, ok := c.origin().Loader.(source.Leaver); ok {
		return l.Leave(ctx)
	}
	return nil
}

// identify tells the Loader who reads. c.mu is held.
func (c *config) identify() {
	if l, ok := c.opts.Loader.(source.Instanced); ok && c.instance != nil {
		l.SetInstance(*c.instance)
	}
}

// load loads sources and takes what the Loader then has.
func (c *config) load(o origin, sources []source.Source) error {
	err := o.Load(sources...)
	return errors.Join(err, c.refresh(o))
}

// refresh takes what the Loader has now.
func (c *config) refresh(o origin) error {
	if _, ok := o.Loader.(observed); !ok {
		c.follow(o)
	}
	s, err := o.Snapshot()
	if err != nil {
		return err
	}
	return c.store(o, s)
}

func (c *config) origin() origin {
	c.mu.Lock()
	defer c.mu.Unlock()
	return origin{c.opts.Loader, c.opts.Reader, c.number}
}

// Load adds sources.
func (c *config) Load(sources ...source.Source) error { return c.load(c.origin(), sources) }

// Sync reads all sources again.
func (c *config) Sync() error {
	o := c.origin()
	err := o.Sync()
	return errors.Join(err, c.refresh(o))
}

// Close ends what c started.
func (c *config) Close() error {
	c.mu.Lock()
	own, stop := c.own, c.stop
	c.closed, c.stop = true, nil
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	if own == nil {
		return nil
	}
	return own.Close()
}

func (c *config) Get(path ...string) reader.Value { return c.values.Load().Get(path...) }

func (c *config) Set(val any, path ...string) { c.values.Load().Set(val, path...) }

func (c *config) Del(path ...string) { c.values.Load().Del(path...) }

func (c *config) Bytes() []byte { return c.values.Load().Bytes() }

func (c *config) Map() map[string]any { return c.values.Load().Map() }

func (c *config) Scan(v any) error { return c.values.Load().Scan(v) }
