// Package memory is the Loader that keeps the merged configuration in memory.
//
// What is loaded never gets worse by itself: a source that cannot be read, or that
// holds what cannot be decoded, keeps what it last held that could, and the log says
// so once. It is tried further, and what it holds then counts.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/reader/json"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/settings"
)

// ErrClosed is returned by the methods of a Loader that is closed.
var ErrClosed = errors.New("the configuration is closed")

// memory has one goroutine for each source, and one more while a source is read.
type memory struct {
	opts    loader.Options
	timeout time.Duration
	ctx     context.Context // over when the Loader is closed
	cancel  context.CancelFunc
	running sync.WaitGroup
	begins  chan struct{} // has a token while the sources that came with the options are read

	mu        sync.Mutex
	followed  []*followed // in the order in which they were loaded
	snapshot  *loader.Snapshot
	values    reader.Values
	version   int64
	hub       hub
	observers []func(reader.Values, string)
	instance  *source.Instance // nil: nobody said who reads
	refused   refused
	judges    []func() ([]source.RefusedPart, bool) // see Judge
	closed    bool
}

// NewLoader returns a Loader. It starts nothing before Load, or with a source among
// its options before the first method that needs one.
func NewLoader(opts ...loader.Option) loader.Loader {
	options := loader.Options{Reader: json.NewReader()}
	for _, o := range opts {
		o(&options)
	}
	limit, _ := settings.Of[timeout](options.Context)
	m := &memory{opts: options, timeout: cmp.Or(time.Duration(limit), defaults.ConfigTimeout), begins: make(chan struct{}, 1), hub: newHub()}
	// The root of what follows the sources; ended by Close.
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

func (m *memory) String() string { return "memory" }

// Load adds sources, reads them all at once, and returns when each has been read or
// has failed, or after the timeout. The error names the sources that failed: they are
// kept, and what they hold joins when they can be read. A source that is there
// already stays in its place.
func (m *memory) Load(sources ...source.Source) error {
	if err := m.begin(); err != nil {
		return err
	}
	return m.load(sources)
}

// begin starts the sources that came with the options, or waits until another call has.
func (m *memory) begin() error {
	select {
	case m.begins <- struct{}{}:
		defer func() { <-m.begins }()
	case <-m.ctx.Done():
		return nil // whoever needs a source says that the Loader is closed
	}
	m.mu.Lock()
	given := m.opts.Source
	m.opts.Source = nil
	m.mu.Unlock()
	if len(given) == 0 {
		return nil
	}
	return m.load(given)
}

func (m *memory) load(sources []source.Source) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return fmt.Errorf("load configuration: %w", ErrClosed)
	}
	var reading []<-chan error
	var asked []source.Source
	for _, s := range sources {
		at := slices.IndexFunc(m.followed, func(f *followed) bool { return same(f.source, s) })
		if at < 0 {
			if i, ok := s.(source.Instanced); ok && m.instance != nil {
				i.SetInstance(*m.instance)
			}
			f := &followed{loader: m, source: s}
			m.followed = append(m.followed, f)
			reading = append(reading, f.start())
		} else {
			reading = append(reading, m.followed[at].reread())
		}
		asked = append(asked, s)
	}
	m.mu.Unlock()
	return m.await("load", asked, reading)
}

// same reports whether two sources are one. Values that cannot be compared are not.
func same(a, b source.Source) (is bool) {
	defer func() { _ = recover() }() // of comparing what cannot be
	return a == b
}

// Sync reads all sources again and returns as Load does. What could be read counts.
func (m *memory) Sync() error {
	if err := m.begin(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return fmt.Errorf("sync configuration: %w", ErrClosed)
	}
	var reading []<-chan error
	var asked []source.Source
	for _, f := range m.followed {
		reading = append(reading, f.reread())
		asked = append(asked, f.source)
	}
	m.mu.Unlock()
	return m.await("sync", asked, reading)
}

// await waits for readings, and makes the first snapshot even of none.
func (m *memory) await(verb string, sources []source.Source, reading []<-chan error) error {
	timer := time.NewTimer(m.timeout)
	defer timer.Stop()
	var failed []error
	late := false
	for i, done := range reading {
		var err error
		select {
		case err = <-done:
		default:
			if late {
				err = fmt.Errorf("no answer within %v", m.timeout)
				break
			}
			select {
			case err = <-done:
			case <-timer.C:
				late = true
				err = fmt.Errorf("no answer within %v", m.timeout)
			case <-m.ctx.Done():
				err = ErrClosed
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s source %q: %w", verb, sources[i], err))
		}
	}
	m.mu.Lock()
	err := m.merge()
	m.mu.Unlock()
	return errors.Join(append(failed, err)...)
}

// merge makes a snapshot of what the sources hold, if it is another one than before,
// and tells everybody. m.mu is held.
func (m *memory) merge() error {
	sets := make([]*source.ChangeSet, len(m.followed))
	for i, f := range m.followed {
		sets[i] = f.set
	}
	set, err := m.opts.Reader.Merge(sets...)
	if err != nil {
		return err
	}
	if m.snapshot != nil && m.snapshot.ChangeSet.Checksum == set.Checksum {
		m.confirm()
		return nil
	}
	values, err := m.opts.Reader.Values(set)
	if err != nil {
		return err
	}
	m.publish(set, values)
	m.look()
	m.confirm()
	return nil
}

// publish makes a snapshot of a set and its values, and tells everybody. m.mu is held.
func (m *memory) publish(set *source.ChangeSet, values reader.Values) {
	m.version = max(m.version+1, time.Now().UnixNano())
	m.snapshot = &loader.Snapshot{ChangeSet: set, Version: strconv.FormatInt(m.version, 10)}
	m.values = values
	for _, tell := range m.observers {
		if own, err := m.copied(); err == nil {
			tell(own, m.snapshot.Version)
		}
	}
	m.hub.tell(values, m.snapshot.Version)
}

// copied returns values of the snapshot that somebody may change. m.mu is held.
func (m *memory) copied() (reader.Values, error) {
	if v, ok := m.values.(interface{ Copy() reader.Values }); ok {
		return v.Copy(), nil
	}
	return m.opts.Reader.Values(m.snapshot.ChangeSet)
}

// loaded makes sure that there is a snapshot. Without one it tries to get it.
func (m *memory) loaded() error {
	if err := m.begin(); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.snapshot != nil {
		return nil
	}
	return m.merge()
}

// Snapshot returns what is loaded now. The sources that came with the options are
// read by the first call.
func (m *memory) Snapshot() (*loader.Snapshot, error) {
	if err := m.loaded(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return loader.Copy(m.snapshot), nil
}

// Get returns the value at path.
func (m *memory) Get(path ...string) (reader.Value, error) {
	if err := m.loaded(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values.Get(path...), nil
}

// Watch returns a Watcher of the value at path.
func (m *memory) Watch(path ...string) (loader.Watcher, error) {
	if err := m.loaded(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("watch configuration: %w", ErrClosed)
	}
	return m.hub.add(m, path, m.values.Get(path...), m.snapshot.Version, m.opts.Reader.String()), nil
}

// SetInstance hands who reads to the sources, those that come later too.
func (m *memory) SetInstance(i source.Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.instance = &i
	for _, f := range m.followed {
		if s, ok := f.source.(source.Instanced); ok {
			s.SetInstance(i)
		}
	}
}

// Leave implements source.Leaver for all sources.
func (m *memory) Leave(ctx context.Context) error {
	m.mu.Lock()
	followed := slices.Clone(m.followed)
	m.mu.Unlock()
	var failed error
	for _, f := range followed {
		if s, ok := f.source.(source.Leaver); ok {
			failed = errors.Join(failed, s.Leave(ctx))
		}
	}
	return failed
}

// Observe makes tell be called with the values of each new snapshot, which are tell's own,
// and its version, in order, before any Watcher hears of it. tell must return quickly and
// call no method of m.
func (m *memory) Observe(tell func(v reader.Values, version string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observers = append(m.observers, tell)
}

// Close ends the watchers and what follows the sources, and waits for it, but not for
// a source of somebody else's making that does not let itself be stopped: of that the
// error tells.
func (m *memory) Close() error {
	m.mu.Lock()
	m.closed = true
	m.hub.stop()
	m.mu.Unlock()
	m.cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.running.Wait()
	}()
	timer := time.NewTimer(m.timeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("close the configuration: a source is not stopped after %v", m.timeout)
	}
}
