package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/once"
)

// patience is how long a message is posted again that is sure not to have arrived, and
// waits for a member of its queue to come back.
const patience = 30 * time.Second

// endWait is how long attempts that were cut off are waited for.
const endWait = time.Second

// publisher posts messages to the subscriptions that the registry has. It has the
// goroutines of its directory and those of the lanes, which close ends and waits for.
type publisher struct {
	opts      broker.Options
	limit     int
	client    *http.Client
	directory *discovery.Directory
	forget    func()
	handling  *delivery.Handling
	odd       once.Set // nodes that cannot be posted to
	name      string   // that no other publisher has
	number    atomic.Uint64

	ctx    context.Context // of all attempts
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	closed  bool
	current *discovery.Snapshot // what routes were made of
	topics  map[string]*route
	nodes   map[string]*node // by id
	queues  map[queueID]*queue
	retired []*lane // that are closed, and perhaps not done
}

// lane is what waits for a subscription or a queue.
type lane = delivery.Lane[*outgoing]

// outgoing is one message for one subscription or queue.
type outgoing struct {
	topic string
	body  []byte // shared
	key   string
	until time.Time    // it is given up
	done  chan<- error // told the outcome; nil if nobody waits
}

func newPublisher(o broker.Options) *publisher {
	p := &publisher{
		opts: o, limit: ownOf(o.Context).limit, client: newClient(o.TLSConfig),
		handling: delivery.NewHandling("http", o.ErrorHandler),
		name:     uuid.NewString(),
		topics:   map[string]*route{}, nodes: map[string]*node{}, queues: map[queueID]*queue{},
	}
	// Ended by close.
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.directory = discovery.New(feed.Of(o.Registry), discovery.Options{})
	p.forget = p.directory.Observe(func(s *discovery.Snapshot) {
		if s.Name == serviceName && s.Known {
			p.update(s)
		}
	})
	return p
}

// publish puts the message into the lane of each subscription.
func (p *publisher) publish(topic string, m *broker.Message, o broker.PublishOptions) error {
	body, err := encode(p.opts.Codec, topic, m, p.limit)
	if err != nil {
		return err
	}
	lanes, err := p.lanes(o.Context, topic)
	if err != nil {
		return err
	}
	if len(lanes) == 0 {
		if o.Confirmed {
			return broker.ErrNoSubscribers
		}
		return nil
	}
	item := outgoing{
		topic: topic, body: body, until: time.Now().Add(patience),
		key: p.name + "-" + strconv.FormatUint(p.number.Add(1), 36),
	}
	done := make(chan error, len(lanes))
	if o.Confirmed {
		item.done = done
	}
	errs, taken := p.put(o.Context, lanes, item)
	for ; o.Confirmed && taken > 0; taken-- {
		select {
		case err := <-done:
			errs = append(errs, err)
		case <-o.Context.Done():
			return errors.Join(append(errs, fmt.Errorf("%d subscriptions have not answered: %w", taken, o.Context.Err()))...)
		}
	}
	return errors.Join(errs...)
}

// put puts the item into the lanes, into those with room first.
func (p *publisher) put(ctx context.Context, lanes []*lane, item outgoing) (errs []error, taken int) {
	var full []*lane
	for _, l := range lanes {
		copied := item
		if l.TryPut(&copied) {
			taken++
		} else {
			full = append(full, l)
		}
	}
	for _, l := range full {
		copied := item
		switch err := l.Put(ctx, &copied); {
		case err == nil:
			taken++
		case !errors.Is(err, broker.ErrNotConnected) || p.isClosed(): // a subscription that ended meanwhile is none
			errs = append(errs, err)
		}
	}
	return errs, taken
}

func (p *publisher) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// lanes returns what leads to the subscriptions of a topic. It waits for the registry at
// the first time alone.
func (p *publisher) lanes(ctx context.Context, topic string) ([]*lane, error) {
	s := p.directory.Lookup(serviceName)
	if !s.Known {
		wait, cancel := discovery.WithTimeout(ctx, p.opts.Registry)
		defer cancel()
		var err error
		if s, err = p.directory.Wait(wait, serviceName); err != nil {
			return nil, fmt.Errorf("find the subscriptions: %w", err)
		}
	}
	p.update(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, broker.ErrNotConnected
	}
	if r := p.topics[topic]; r != nil {
		return r.lanes, nil
	}
	return nil, nil
}

// awaitNode waits until the publisher knows the node of the id, or the time is up.
func (p *publisher) awaitNode(timeout <-chan time.Time, id string) {
	for {
		s := p.directory.Lookup(serviceName)
		if !s.Known { // it reads the registry first, and finds it there
			return
		}
		for _, n := range s.Nodes {
			if n.Id == id {
				return
			}
		}
		select {
		case <-s.Changed():
		case <-timeout:
			return
		case <-p.ctx.Done():
			return
		}
	}
}

// failed reports what became of a message.
func (p *publisher) failed(m *outgoing, err error) {
	if m.done != nil {
		m.done <- err
		return
	}
	if err != nil {
		// The message itself was the caller's again when Publish returned.
		message, _, e := decode(p.opts.Codec, m.body)
		p.handling.Failed(m.topic, message, errors.Join(err, e))
	}
}

// close waits until what was published has been posted, or ctx is done, and ends
// everything.
func (p *publisher) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	all := p.retired
	for _, n := range p.nodes {
		all = append(all, n.lane)
	}
	for _, q := range p.queues {
		all = append(all, q.lane)
	}
	p.mu.Unlock()
	left := 0
	for _, l := range all {
		l.Close()
	}
	for _, l := range all {
		select {
		case <-l.Done():
			continue
		case <-ctx.Done():
		}
		waiting := l.Discard()
		_, running := l.Load()
		left += len(waiting) + running
		for _, m := range waiting {
			if m.done != nil {
				m.done <- ctx.Err()
			}
		}
	}
	p.cancel() // ends the attempts, and all but an ErrorHandler that does not return
	ending := time.NewTimer(endWait)
	defer ending.Stop()
	for _, l := range all {
		select {
		case <-l.Done():
		case <-ending.C:
			ending.Reset(0) // for the next one
		}
	}
	p.forget()
	p.directory.Close()
	p.client.CloseIdleConnections()
	if left > 0 {
		return fmt.Errorf("send what was published: %d messages are not sent: %w", left, ctx.Err())
	}
	return nil
}
