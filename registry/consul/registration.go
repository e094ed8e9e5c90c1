package consul

import (
	"context"
	"fmt"
	"net"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// maxText bounds names and ids, in bytes: they stand in the path of requests.
const maxText = 1024

// registration is one node: what the agent is to know of it, if it is registered
// here, and who is told what becomes of it.
type registration struct {
	id        record.ID
	observers ability.Observers
	// turn holds a token while nobody talks to the agent about the node.
	turn chan struct{}
	said bool // the agent was told farewell, and nothing since; for who has the turn

	// What follows is guarded by the registry's mutex.
	wanted    *wanted   // nil while the node is not registered here
	last      *wanted   // that the agent was told
	leaving   bool      // it is being deregistered
	settled   bool      // a Register that returned no error stands behind it
	displaced bool      // another process registered the same node since
	asking    int       // calls of Register under way
	observed  int       // by so many
	instance  string    // the id that the agent knows it by
	renewed   time.Time // when the agent last heard of it; zero if it did not
}

// wanted is what the agent is to know of a node.
type wanted struct {
	service, node string
	tags          []string
	tagsOf        string // the instance that tags were made for
	address       string
	port          int
	ttl           time.Duration
	tcp           time.Duration // interval; zero for a TTL check
	nodeAddress   string
	connect       bool
	yields        bool              // registered for another process: it takes nothing over
	said          *registry.Service // a copy, to tell whether it is another
}

// same reports whether the agent would be told the same.
func (w *wanted) same(o *wanted) bool {
	return w.ttl == o.ttl && w.tcp == o.tcp && w.connect == o.connect && w.yields == o.yields && reflect.DeepEqual(w.said, o.said)
}

// registration returns what the agent is told of the node as an instance with that id.
// The caller has the turn of the registration.
func (w *wanted) registration(instance string) (consul.Registration, error) {
	if err := w.encode(instance); err != nil {
		return consul.Registration{}, err
	}
	r := consul.Registration{ID: instance, Name: w.service, Tags: w.tags, Port: w.port, Address: w.address}
	if w.tcp > 0 {
		r.Check = &consul.CheckSpec{TCP: w.nodeAddress, Interval: w.tcp.String(), DeregisterCriticalServiceAfter: deregisterAfter(w.tcp).String()}
	} else {
		// Without a status of its own the check is critical at first, and whoever looks
		// in that moment sees a node that is not well.
		r.Check = &consul.CheckSpec{TTL: w.ttl.String(), Status: consul.Passing, DeregisterCriticalServiceAfter: deregisterAfter(w.ttl).String()}
	}
	if w.connect {
		r.Connect = &consul.Connect{Native: true}
	}
	return r, nil
}

// encode makes the tags for an instance, unless they are there.
func (w *wanted) encode(instance string) (err error) {
	if w.tags != nil && w.tagsOf == instance {
		return nil
	}
	w.tagsOf = instance
	w.tags, err = tags.Encode(w.said, w.said.Nodes[0], instance)
	return err
}

// deregisterAfter is how long after its check became critical the agent drops a node,
// as v2's plugin has it: Consul knows nothing below a minute.
func deregisterAfter(ttl time.Duration) time.Duration {
	return max(ttl, time.Minute) + 5*time.Second
}

// want returns what the agent is to know of a node of s.
func (l *link) want(s *registry.Service, n *registry.Node, ttl time.Duration) (*wanted, error) {
	one := record.CopyService(&registry.Service{Name: s.Name, Version: s.Version, Metadata: s.Metadata, Endpoints: s.Endpoints, Nodes: []*registry.Node{n}})
	w := &wanted{
		service: s.Name, node: n.Id, ttl: ttl, tcp: l.tcpCheck, nodeAddress: n.Address, connect: l.connect, said: one,
	}
	w.address, w.port = splitAddress(n.Address)
	if ip := net.ParseIP(w.address); ip != nil && ip.IsUnspecified() {
		return nil, fmt.Errorf("node %q has the address %q, which Consul refuses: nobody can call it; give one of this host's own", n.Id, n.Address)
	}
	if s.Name == itself {
		return nil, fmt.Errorf("the service name %q is that of Consul's own servers: choose another", s.Name)
	}
	for what, text := range map[string]string{"service name": s.Name, "node id": n.Id} {
		if why := unfit(text); why != "" {
			return nil, fmt.Errorf("the %s %q %s", what, text, why)
		}
	}
	if err := w.encode(n.Id); err != nil {
		return nil, fmt.Errorf("node %q: %w", n.Id, err)
	}
	return w, nil
}

// unfit says why text cannot be a name or an id in Consul, "" if it can. An agent is
// asked about them by the path of a URL.
func unfit(text string) string {
	if len(text) > maxText {
		return fmt.Sprintf("has %d bytes, more than the %d that are asked for", len(text), maxText)
	}
	if path.Clean("/"+text) != "/"+text && path.Clean("/"+text)+"/" != "/"+text {
		return "reads as another path in a URL, and Consul cannot be asked for it: leave out slashes that follow one another, and . and .. between them"
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		return fmt.Sprintf("holds %U, which Consul refuses", []rune(text[i:])[0])
	}
	return ""
}

// splitAddress divides an address into what Consul keeps apart. Without a number as
// its port, all of it is the host.
func splitAddress(address string) (host string, port int) {
	host, text, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return address, 0
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || strconv.Itoa(port) != text {
		return address, 0
	}
	return host, port
}

// joinAddress is the opposite of splitAddress.
func joinAddress(host string, port int) string {
	if port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// registrationOf returns the registration of a node. The caller holds mu.
func (b *backend) registrationOf(id record.ID) *registration {
	r := b.registrations[id]
	if r == nil {
		r = &registration{
			id:   id,
			turn: make(chan struct{}, 1),
		}
		r.observers.Tell(ability.Status{State: ability.Absent, Reason: "not registered yet", At: time.Now()})
		r.turn <- struct{}{}
		b.registrations[id] = r
	}
	return r
}

// forget drops a registration that nobody made or asks for. The caller holds mu.
func (b *backend) forget(r *registration) {
	if r.wanted == nil && r.asking == 0 && r.observed == 0 {
		delete(b.registrations, r.id)
	}
}

// take waits for the turn of talking to the agent about r. The caller gives it back.
func (r *registration) take(ctx context.Context) error {
	select {
	case <-r.turn:
		return nil
	default:
	}
	select {
	case <-r.turn:
		return nil
	case <-ctx.Done():
		return consul.Over(ctx)
	}
}

func (r *registration) giveBack() { r.turn <- struct{}{} }

// post tells observers of r, unless that is what they know.
func (r *registration) post(state ability.State, reason string, err error) {
	s := ability.Status{State: state, Reason: reason, Err: err, At: time.Now()}
	if !r.observers.Status().Same(s) {
		r.observers.Tell(s)
	}
}

// ObserveRegistration reports the status of a node's record, beginning with the
// present one, from a goroutine of its own until stop is called. stop waits for
// observe to return, which therefore must not call it.
func (b *backend) ObserveRegistration(service, node string, observe func(ability.Status)) (stop func()) {
	b.mu.Lock()
	r := b.registrationOf(record.ID{Service: service, Node: node})
	r.observed++
	b.mu.Unlock()
	listener := r.observers.Add()
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	if err := b.start(func() {
		defer close(done)
		listener.Listen(ctx, observe)
	}); err != nil {
		close(done)
	}
	return sync.OnceFunc(func() {
		cancel()
		<-done
		r.observers.Remove(listener)
		b.mu.Lock()
		defer b.mu.Unlock()
		r.observed--
		b.forget(r)
	})
}
