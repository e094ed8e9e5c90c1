// Package multi is one registry made of several, its members, for a fleet that moves
// from one kind of registry to another: services that use both are found by those
// that still use the old one and by those that use the new one already.
//
// What is registered is registered in every member. Register succeeds as soon as a
// member has the node; the others are tried again beside, until the node stands there
// too. What is found is what any member has. A node id of a service is one node: of
// several members that have it, the record of the first counts, in the order in which
// they were given, except that a member that is out of touch comes after the others.
//
// A member that fails, is slow or hangs holds nobody up. Reads are answered by those
// that answer; that nothing is registered is said only if all of them say so. Who
// follows services keeps what a member knew last while it is away, and a node has left
// when it has left every member.
package multi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// multi implements registry.Registry. Its goroutines: one for each operation of a
// member that is under way, one for each observer of a registration, and those of its
// watchers. Close ends all and waits for them.
type multi struct {
	members []member
	ctx     context.Context // over when the registry is closed
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu            sync.Mutex
	opts          registry.Options
	registrations map[record.ID]*registration
}

// member is one of the registries.
type member struct {
	registry.Registry
	label    string // unlike that of the others, for errors
	renews   bool   // by itself what is registered in it
	observer ability.RegistrationObserver
}

var (
	_ registry.Registry            = (*multi)(nil)
	_ feed.Source                  = (*multi)(nil)
	_ feed.Resolver                = (*multi)(nil)
	_ ability.Renewer              = (*multi)(nil)
	_ ability.RegistrationObserver = (*multi)(nil)
	_ ability.Checker              = (*multi)(nil)
	_ ability.Pauser               = (*multi)(nil)
	_ ability.NameLister           = (*multi)(nil)
	_ io.Closer                    = (*multi)(nil)
)

// NewRegistry returns a registry of the members, the first of which counts most. It
// does no I/O and starts nothing. The members belong to it from then on: Close closes
// them. The value has the methods of io.Closer; close it when it is no longer needed.
func NewRegistry(members ...registry.Registry) registry.Registry {
	m := &multi{opts: registry.Options{Timeout: defaults.RegistryTimeout}, registrations: make(map[record.ID]*registration)}
	// The root of everything that the registry does beside its callers.
	m.ctx, m.cancel = context.WithCancel(context.Background())
	for _, r := range members {
		if r == nil {
			continue
		}
		one := member{Registry: r, label: r.String(), renews: ability.Renews(r)}
		one.observer, _ = ability.As[ability.RegistrationObserver](r)
		same := func(other member) bool { return other.label == one.label }
		for n := 2; slices.ContainsFunc(m.members, same); n++ {
			one.label = fmt.Sprintf("%s %d", r, n)
		}
		m.members = append(m.members, one)
	}
	return m
}

// Init hands the options to every member, each of which obeys what it understands.
// Addresses are refused: they are those of one member, and go to its constructor.
func (m *multi) Init(opts ...registry.Option) error {
	var o registry.Options
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case m.ctx.Err() != nil:
		return fmt.Errorf("set the registries up: %w", registry.ErrClosed)
	case o.Addrs != nil:
		return fmt.Errorf("set the registries up: %q is no address of all of them: give each its own, as --registry_address=NAME=ADDR does", o.Addrs)
	case len(opts) == 0:
		return m.err()
	}
	m.mu.Lock()
	for _, opt := range opts {
		opt(&m.opts)
	}
	m.mu.Unlock()
	var failed failures
	for _, one := range m.members {
		failed.add(one, one.Init(opts...))
	}
	return failed.or(m.err())
}

// Options returns a copy of the options in force.
func (m *multi) Options() registry.Options {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opts
}

// timeout bounds one operation of one member.
func (m *multi) timeout() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opts.Timeout > 0 {
		return m.opts.Timeout
	}
	return defaults.RegistryTimeout
}

// String returns "multi".
func (m *multi) String() string { return "multi" }

// Err returns what makes a member unusable for ever, such as a malformed address: it
// was given by mistake, unlike an outage. It is nil if nothing does.
func (m *multi) Err() error { return m.err() }

func (m *multi) err() error {
	if len(m.members) == 0 {
		return errors.New("there is no registry among none: give multi.NewRegistry at least one")
	}
	var failed failures
	for _, one := range m.members {
		failed.add(one, ability.Check(one.Registry))
	}
	return failed.or(nil)
}

// Renews reports that registrations are renewed here: by the members that do, and in
// the others by registering again.
func (m *multi) Renews() bool { return true }

// Stats returns the numbers of the members that have some, each behind the member's
// name, as in "etcd.connections". The map is the caller's.
func (m *multi) Stats() map[string]uint64 {
	all := make(map[string]uint64)
	for _, one := range m.members {
		if s, ok := ability.As[interface{ Stats() map[string]uint64 }](one.Registry); ok {
			for name, n := range s.Stats() {
				all[one.label+"."+name] = n
			}
		}
	}
	return all
}

// Close ends renewals and watches and closes the members, all at once: none waits for
// one that is slow to end, which is given the time of one operation. What is still
// registered runs out with its TTL. Close may be called more than once.
func (m *multi) Close() error {
	m.mu.Lock()
	m.cancel() // nothing is started from here on
	for _, r := range m.registrations {
		for _, s := range r.slots {
			s.stopTimer()
		}
	}
	m.mu.Unlock()
	failed := m.closeMembers()
	for _, stop := range m.unobserveAll() {
		stop()
	}
	if !m.wait() {
		failed = append(failed, errors.New("a registry that was closed goes on with what it was asked before"))
	}
	return failed.or(nil)
}

// closeMembers closes them and returns what they say.
func (m *multi) closeMembers() (failed failures) {
	type closed struct {
		member int
		err    error
	}
	ends, closing := make(chan closed, len(m.members)), 0
	errs := make([]error, len(m.members))
	for i, one := range m.members {
		if c, ok := ability.As[io.Closer](one.Registry); ok {
			closing++
			errs[i] = errors.New("it has not ended in time")
			// Not waited for beyond the timeout: its end is the member's to see to.
			go func() { ends <- closed{i, c.Close()} }()
		}
	}
	limit := time.NewTimer(m.timeout())
	defer limit.Stop()
	for waiting := true; closing > 0 && waiting; closing-- {
		select {
		case end := <-ends:
			errs[end.member] = end.err
		case <-limit.C:
			waiting = false
		}
	}
	for i, one := range m.members {
		failed.add(one, errs[i])
	}
	return failed
}

// wait waits for what runs beside, for no longer than one operation may take: a member
// need not take notice of contexts. It reports whether all has ended.
func (m *multi) wait() bool {
	done := make(chan struct{})
	go func() {
		m.running.Wait()
		close(done)
	}()
	limit := time.NewTimer(m.timeout())
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-limit.C:
		return false
	}
}

// begin runs f in a goroutine of the registry, unless that is closed. The caller holds
// mu.
func (m *multi) begin(f func()) bool {
	if m.ctx.Err() != nil {
		return false
	}
	m.running.Go(f)
	return true
}

// failures are what the members say that failed, as one error in one line.
type failures []error

func (f *failures) add(of member, err error) {
	if err != nil {
		*f = append(*f, fmt.Errorf("%s: %w", of.label, err))
	}
}

// or returns the failures, otherwise err.
func (f failures) or(err error) error {
	if len(f) == 0 {
		return err
	}
	return f
}

// doing says what was done when err happened; members say so themselves.
func doing(what string, err error) error {
	var members failures
	if err == nil || errors.As(err, &members) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (f failures) Error() string {
	var text string
	for i, err := range f {
		if i > 0 {
			text += "; "
		}
		text += err.Error()
	}
	return text
}

func (f failures) Unwrap() []error { return f }
