package http

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/excerpt"
	"github.com/rollcall-go/micro/logger"
)

const (
	// workersPerQueue is how many messages of one queue are under way at once. A member
	// that is silent does not get all of them.
	workersPerQueue = 8
	// fairShare is how many of them one member gets before others are taken, whatever these
	// did last: who holds as many may be silent.
	fairShare = workersPerQueue / 2
	// avoidFor is how long a member of a queue is taken last that took no message.
	avoidFor = time.Second
)

// route is what leads to the subscriptions of one topic.
type route struct{ lanes []*lane }

// node is a subscription that gets every message: its messages are posted one after
// another.
type node struct {
	target
	topic string
	lane  *lane
	ctx   context.Context // ends when the node left
	left  context.CancelFunc
}

// queueID names a queue: its topic and its name, which is the version of its nodes.
type queueID struct{ topic, name string }

// queue is subscriptions of which one gets each message. It outlives its last member,
// which may be restarting, for as long as something waits.
type queue struct {
	lane    *lane
	members []*member // guarded by publisher.mu, as what follows
	turn    int
	empty   time.Time // since when there are no members; zero while there are
}

// member is one subscription of a queue. Its fields are guarded by publisher.mu.
type member struct {
	target
	under int       // how many messages are under way to it
	avoid time.Time // until when others are taken
}

func (p *publisher) newLane(workers int, send func(*outgoing)) *lane {
	return delivery.NewLane(
		delivery.Limits{Workers: workers, Messages: defaults.SubscriptionMessages, Bytes: defaults.SubscriptionBytes},
		send, func(m *outgoing) int { return len(m.body) },
	)
}

// update makes the routes those of a snapshot, unless they are.
func (p *publisher) update(s *discovery.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == p.current || p.closed {
		return
	}
	p.current = s
	topics, there, members := map[string]*route{}, map[string]bool{}, map[queueID][]*member{}
	for _, svc := range s.Routing {
		for _, n := range svc.Nodes {
			topic := n.Metadata[topicKey]
			if n.Metadata[brokerKey] != "http" || topic == "" {
				continue
			}
			t, err := newTarget(n)
			if err != nil {
				if p.odd.First(n.Id) {
					logger.Warnf("Broker [http] Cannot post to a subscription: %s: %v", excerpt.Of(n.Id, 200), err)
				}
				continue
			}
			if topics[topic] == nil {
				topics[topic] = &route{}
			}
			if svc.Version != broadcastVersion {
				id := queueID{topic, svc.Version}
				members[id] = append(members[id], &member{target: t})
				continue
			}
			there[n.Id] = true
			topics[topic].lanes = append(topics[topic].lanes, p.nodeOf(t, topic).lane)
		}
	}
	for id, n := range p.nodes {
		if !there[id] {
			p.drop(n)
		}
	}
	p.updateQueues(topics, members)
	p.topics = topics
	p.retired = slices.DeleteFunc(p.retired, func(l *lane) bool {
		select {
		case <-l.Done():
			return true
		default:
			return false
		}
	})
}

// nodeOf returns the node of a target: the one that was there, if it is at the same place.
func (p *publisher) nodeOf(t target, topic string) *node {
	if n := p.nodes[t.id]; n != nil {
		if n.target == t && n.topic == topic {
			return n
		}
		p.drop(n)
	}
	n := &node{target: t, topic: topic}
	n.ctx, n.left = context.WithCancel(p.ctx)
	n.lane = p.newLane(1, func(m *outgoing) { p.failed(m, p.sendTo(n, m)) })
	p.nodes[t.id] = n
	return n
}

// drop ends a node that left: what waits for it has nobody to go to.
func (p *publisher) drop(n *node) {
	delete(p.nodes, n.id)
	n.lane.Close()
	n.left()
	p.retired = append(p.retired, n.lane)
}

// updateQueues gives each queue its members.
func (p *publisher) updateQueues(topics map[string]*route, members map[queueID][]*member) {
	for id := range members {
		if p.queues[id] == nil {
			q := &queue{}
			q.lane = p.newLane(workersPerQueue, func(m *outgoing) { p.failed(m, p.sendToOne(q, m)) })
			p.queues[id] = q
		}
	}
	for id, q := range p.queues {
		q.replace(members[id])
		if q.abandoned() {
			q.lane.Close()
			p.retired = append(p.retired, q.lane)
			delete(p.queues, id)
			continue
		}
		if topics[id.topic] == nil {
			topics[id.topic] = &route{}
		}
		topics[id.topic].lanes = append(topics[id.topic].lanes, q.lane)
	}
}

// replace puts members in place of those that were there, and keeps what is known of
// those that stay.
func (q *queue) replace(members []*member) {
	for i, m := range members {
		if at := slices.IndexFunc(q.members, func(old *member) bool { return old.target == m.target }); at >= 0 {
			members[i] = q.members[at]
		}
	}
	q.members = members
	switch {
	case len(members) > 0:
		q.empty = time.Time{}
	case q.empty.IsZero():
		q.empty = time.Now()
	}
}

// abandoned reports whether the queue has no members and is not waited for any more.
func (q *queue) abandoned() bool {
	waiting, running := q.lane.Load()
	return len(q.members) == 0 && (waiting+running == 0 || time.Since(q.empty) > patience)
}

// sendTo posts a message to a node: again while it is sure not to be taken, and also
// while nobody knows, if the node can tell that it has seen it.
func (p *publisher) sendTo(n *node, m *outgoing) error {
	for attempt := 0; ; attempt++ {
		if n.ctx.Err() != nil {
			return fmt.Errorf("send to %q: %w", n.id, errGone)
		}
		err := p.post(n.ctx, n.target, m)
		if errors.Is(err, errGone) {
			return nil // it has unsubscribed, and the registry has not said so yet
		}
		if !errors.Is(err, errNotTaken) && !(n.ours && errors.Is(err, errUnsure)) || !m.again(n.ctx, attempt) {
			return err
		}
	}
}

// sendToOne posts a message to a member of the queue. It goes to another one while it is
// sure that none has taken it.
func (p *publisher) sendToOne(q *queue, m *outgoing) error {
	err := fmt.Errorf("no member of the queue is left: %w", errGone)
	for attempt := 0; ; attempt++ {
		if to := p.choose(q); to != nil {
			err = p.post(p.ctx, to.target, m)
			if to.ours && errors.Is(err, errUnsure) {
				err = p.insist(to.target, m, err)
			}
			p.chosen(to, err)
			if !errors.Is(err, errNotTaken) && !errors.Is(err, errGone) {
				return err
			}
		}
		if !m.again(p.ctx, attempt) {
			p.stale() // the queue may be abandoned
			return err
		}
	}
}

// insist posts a message again to the one member that may have taken it and knows, for as
// long as that can be reached.
func (p *publisher) insist(t target, m *outgoing, unsure error) error {
	for n := 0; m.again(p.ctx, n); n++ {
		switch err := p.post(p.ctx, t, m); {
		case errors.Is(err, errNotReached), errors.Is(err, errGone):
			return unsure
		case !errors.Is(err, errNotTaken) && !errors.Is(err, errUnsure):
			return err
		}
	}
	return unsure
}

// stale has the routes made again for the next publication.
func (p *publisher) stale() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = nil
}

// choose returns the member with the fewest messages under way, one of those that are not
// to be avoided if there are such, and nil if there is no member.
func (p *publisher) choose(q *queue) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(q.members) == 0 {
		return nil
	}
	q.turn = (q.turn + 1) % len(q.members)
	now := time.Now()
	avoided := func(m *member) int {
		if m.under >= fairShare || now.Before(m.avoid) {
			return 1
		}
		return 0
	}
	best := q.members[q.turn]
	for i := range q.members {
		m := q.members[(q.turn+i)%len(q.members)]
		if cmp.Or(cmp.Compare(avoided(m), avoided(best)), cmp.Compare(m.under, best.under)) < 0 {
			best = m
		}
	}
	best.under++
	return best
}

// chosen notes how a message to a member ended.
func (p *publisher) chosen(m *member, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.under--
	if err != nil {
		m.avoid = time.Now().Add(avoidFor)
	}
}
