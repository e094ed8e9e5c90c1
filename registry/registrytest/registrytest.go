// Package registrytest states what is expected of a registry.Registry as tests.
// Every backend of this module passes them; run them on your own:
//
//	func TestRegistry(t *testing.T) {
//		registrytest.Run(t, func(t *testing.T) registry.Registry {
//			r := mine.NewRegistry()
//			t.Cleanup(func() { r.Close() })
//			return r
//		})
//	}
//
// The tests wait for what has to happen and for nothing else; they pass under
// the race detector.
package registrytest

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Option says in what a backend differs.
type Option func(*suite)

// Patience sets the longest time that the backend takes to let a Watcher know,
// and to answer at all. The default is 10 s; nothing waits that long unless
// something is wrong.
func Patience(d time.Duration) Option {
	return func(s *suite) { s.patience = d }
}

// Eventual says that what was registered may be found some time later, within
// the patience. By default it must be found at once.
func Eventual() Option {
	return func(s *suite) { s.eventual = true }
}

// TTL sets the time to live that the tests of expiry use: the shortest that the
// backend can measure. The default is 1 s.
func TTL(d time.Duration) Option {
	return func(s *suite) { s.ttl = d }
}

// Renews says that the backend renews by itself what was registered through it,
// so that a record outlives its time to live while its registry is there.
func Renews() Option {
	return func(s *suite) { s.renews = true }
}

// Second gives the suite a way to open another registry in the directory of the one
// that was opened last. If it is an io.Closer, the suite closes it as a crash would end
// it: what was registered through it stays until its time is over. A backend that
// renews by itself needs it to show what happens then.
func Second(open func(t *testing.T) registry.Registry) Option {
	return func(s *suite) { s.second = open }
}

// NoExpiry says that the backend takes no notice of the time to live. What is not
// tested then is said by a line on standard output that begins with LACKS-ABILITY.
func NoExpiry() Option {
	return func(s *suite) { s.noExpiry = true }
}

// NoContexts says that the backend takes no notice of contexts, as many of v2 did
// not. It is said by a line like that of NoExpiry.
func NoContexts() Option {
	return func(s *suite) { s.noContexts = true }
}

// Unreachable gives the suite a way to open a registry whose directory does not answer,
// at an address where nobody listens, say, and what errors must show of it: that
// address. Without it a line like that of NoExpiry says so.
func Unreachable(open func(t *testing.T) (r registry.Registry, shows string)) Option {
	return func(s *suite) { s.unreachable = open }
}

// Coalesces says that a Watcher may leave out steps of what happens quickly, a node
// that came and went at once, say: its events lead to what is there, in the order of
// each node.
func Coalesces() Option {
	return func(s *suite) { s.coalesces = true }
}

// Crowd sets how many nodes the backend holds with ease; the default is 10,000. Fewer
// are said by a line like that of NoExpiry.
func Crowd(nodes int) Option {
	return func(s *suite) { s.crowd = nodes }
}

// Refuses names services that the backend cannot carry, of those that the suite uses:
// Register must return an error that quotes the name. A line like that of NoExpiry
// says so.
func Refuses(names ...string) Option {
	return func(s *suite) { s.refuses = names }
}

// NoServiceMetadata says that the backend keeps the metadata of nodes alone, as v2's
// records in multicast DNS do. A line like that of NoExpiry says so.
func NoServiceMetadata() Option {
	return func(s *suite) { s.noServiceMetadata = true }
}

// Run tests the backend. For each test, open returns a registry whose directory
// is empty; what open starts it stops in t.Cleanup. The tests run one after the
// other.
func Run(t *testing.T, open func(t *testing.T) registry.Registry, opts ...Option) {
	s := newSuite(open, opts)
	for _, sentence := range contract {
		t.Run(sentence.name, func(t *testing.T) { sentence.test(s, t) })
	}
}

// contract is what is tested, in this order.
var contract = []struct {
	name string
	test func(*suite, *testing.T)
}{
	{"Init", (*suite).init},
	{"Register", (*suite).register},
	{"Versions", (*suite).versions},
	{"Replace", (*suite).replace},
	{"Deregister", (*suite).deregister},
	{"DeregisterUnknown", (*suite).deregisterUnknown},
	{"NotFound", (*suite).notFound},
	{"EmptyList", (*suite).emptyList},
	{"List", (*suite).list},
	{"Names", (*suite).names},
	{"LongNames", (*suite).longNames},
	{"Metadata", (*suite).metadata},
	{"Endpoints", (*suite).endpoints},
	{"BadInput", (*suite).badInput},
	{"Copies", (*suite).copies},
	{"WatchActions", (*suite).watchActions},
	{"WatchOne", (*suite).watchOne},
	{"WatchBurst", (*suite).watchBurst},
	{"WatchStop", (*suite).watchStop},
	{"WatchersApart", (*suite).watchersApart},
	{"TTL", (*suite).expiry},
	{"WhyNodesLeft", (*suite).causes},
	{"NoFalseEmpty", (*suite).noFalseEmpty},
	{"Follow", (*suite).followed},
	{"TwoProcesses", (*suite).twoProcesses},
	{"ThroughWrappers", (*suite).throughWrappers},
	{"RenewalThroughWrappers", (*suite).renewalThroughWrappers},
	{"Contexts", (*suite).contexts},
	{"Errors", (*suite).errors},
	{"Close", (*suite).closing},
	{"Concurrency", (*suite).concurrency},
	{"Crowd", (*suite).crowded},
	{"Leaks", (*suite).leaks},
}

func newSuite(open func(t *testing.T) registry.Registry, opts []Option) *suite {
	s := &suite{open: open, patience: 10 * time.Second, ttl: time.Second, crowd: aCrowd}
	for _, o := range opts {
		o(s)
	}
	return s
}

type suite struct {
	open              func(t *testing.T) registry.Registry
	patience          time.Duration
	eventual          bool
	ttl               time.Duration
	renews            bool
	noExpiry          bool
	noContexts        bool
	noServiceMetadata bool
	coalesces         bool
	crowd             int
	refuses           []string
	second            func(t *testing.T) registry.Registry
	unreachable       func(t *testing.T) (r registry.Registry, shows string)
}
