package grpc

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/rollcall-go/micro/broker"
)

// brokers are those that the running servers of the process use.
var brokers brokerUsers

// brokerUsers counts who uses which broker: servers often share one, the default, and
// the last of them disconnects it.
type brokerUsers struct {
	mu  sync.Mutex
	all []*brokerUse
}

// brokerUse is one broker in use.
type brokerUse struct {
	broker broker.Broker
	users  int
	ending chan struct{} // closed when the last user has disconnected it; nil if none does
}

// use adds a user. The broker must not be connected before free is closed, if that is
// not nil.
func (u *brokerUsers) use(b broker.Broker) (free <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(b)
	if i < 0 {
		i = len(u.all)
		u.all = append(u.all, &brokerUse{broker: b})
	}
	u.all[i].users++
	return u.all[i].ending
}

// release removes a user and, if that was the last one, calls disconnect.
func (u *brokerUsers) release(b broker.Broker, disconnect func()) {
	u.mu.Lock()
	use := u.all[u.index(b)]
	if use.users--; use.users > 0 || use.ending != nil { // or somebody came and went meanwhile
		u.mu.Unlock()
		return
	}
	use.ending = make(chan struct{})
	u.mu.Unlock()
	disconnect()
	u.mu.Lock()
	defer u.mu.Unlock()
	close(use.ending)
	use.ending = nil
	if use.users == 0 {
		u.all = slices.DeleteFunc(u.all, func(other *brokerUse) bool { return other == use })
	}
}

// index returns where the broker is in all, negative if it is not.
func (u *brokerUsers) index(b broker.Broker) int {
	return slices.IndexFunc(u.all, func(use *brokerUse) bool { return same(use.broker, b) })
}

// subscribable returns what keeps a broker from ever bringing a message.
func subscribable(b broker.Broker) error {
	if b == nil {
		return errors.New("the server has no broker; give it one with server.Broker")
	}
	if c, ok := b.(interface{ Err() error }); ok {
		return c.Err()
	}
	return nil
}

// inFlight counts what is being handled. Unlike a sync.WaitGroup it may be entered while
// somebody waits. The zero value is ready.
type inFlight struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n becomes 0; nil if nobody waits
}

func (f *inFlight) enter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
}

func (f *inFlight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n--; f.n == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// await waits until nothing is being handled, or ctx is over.
func (f *inFlight) await(ctx context.Context) {
	f.mu.Lock()
	if f.n == 0 {
		f.mu.Unlock()
		return
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
