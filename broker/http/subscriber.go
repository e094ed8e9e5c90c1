package http

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/enroll"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

const (
	// handlersAtOnce is how many handlers of a subscription run at once, unless its
	// options say otherwise: v2 runs any number.
	handlersAtOnce = 64
	// linesPerSecond is how many lines a second are logged of what may happen to each
	// message or subscription.
	linesPerSecond = 5
)

var (
	errBusy  = fmt.Errorf("%w: others wait for room as well", broker.ErrFull)
	errWaits = fmt.Errorf("%w: the same message waits for room already", broker.ErrFull)
)

// subscriber is one subscription: one node of the service in the registry.
type subscriber struct {
	receiver *receiver
	id       string // of the node
	topic    string
	opts     broker.SubscribeOptions
	queue    *delivery.Queue
	seen     seen
	waiters  chan struct{} // holds a token for each request that waits for room

	enrollment *enroll.Enrollment
}

// subscribe begins to register a subscription.
func (r *receiver) subscribe(topic string, h broker.Handler, o broker.SubscribeOptions) (*subscriber, error) {
	if err := delivery.CheckSubscribe(topic, h); err != nil {
		return nil, err
	}
	if r.secure && !identified(r.opts.TLSConfig) {
		return nil, errors.New("the broker is secure and has no certificate: give one with broker.TLSConfig")
	}
	s := &subscriber{
		receiver: r, id: topic + "-" + uuid.NewString(), topic: topic, opts: o,
		waiters: make(chan struct{}, waitersAtOnce),
	}
	if err := errors.Join(ability.Check(r.opts.Registry), record.Check(s.service(""))); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, broker.ErrNotConnected
	}
	s.queue = r.queues.Open(delivery.Config{
		Handling: r.handling, Handler: h, AutoAck: o.AutoAck,
		Limits: delivery.Limits{Workers: cmp.Or(max(o.Concurrency, 0), handlersAtOnce)},
	})
	r.subscriptions[s.id] = s
	s.enrollment = enroll.Start(enroll.Config{
		Registry: r.opts.Registry, Describe: s.describe, Generated: true, Events: s.tell,
		Log: logger.NewLogger(logger.WithOutput(io.Discard)), // its lines are those of a server
	})
	return s, nil
}

// service is the record of the subscription.
func (s *subscriber) service(address string) *registry.Service {
	return &registry.Service{
		Name: serviceName, Version: cmp.Or(s.opts.Queue, broadcastVersion),
		Nodes: []*registry.Node{{Id: s.id, Address: address, Metadata: map[string]string{
			brokerKey: "http", secureKey: strconv.FormatBool(s.receiver.secure), topicKey: s.topic,
			record.Mark: defaults.Version,
		}}},
	}
}

func (s *subscriber) describe(ctx context.Context) (*registry.Service, error) {
	r := s.receiver
	choice, err := netaddr.System().Advertise(ctx, netaddr.Wish{
		Bound: r.listener.Addr().String(), IPv6Only: r.ipv6Only, Advertise: r.own.advertise,
		Registry: r.opts.Registry.Options().Addrs,
	})
	if err != nil {
		return nil, fmt.Errorf("find the address to register: %w", err)
	}
	return s.service(choice.Address), nil
}

// tell logs what becomes of the registration.
func (s *subscriber) tell(e enroll.Event) {
	switch {
	case e.Phase == enroll.Left || !s.receiver.lines.Allow(time.Now(), linesPerSecond):
	case e.Phase == enroll.Registered:
		logger.Debugf("Broker [http] Subscription is registered: %s", s.id)
	default:
		logger.Warnf("Broker [http] Subscription is %s: %s: %s", e.Phase, s.id, e.Reason)
	}
}

// await waits until the subscription is registered and the publisher of the same broker,
// if there is one, knows it: what is published next is received. As for a server, a
// registry that is away is not waited for longer than defaults.RegistrationWait.
func (s *subscriber) await(p *publisher) {
	timer := time.NewTimer(defaults.RegistrationWait)
	defer timer.Stop()
	for {
		state, changed := s.enrollment.Changed()
		if state.Phase != enroll.Trying {
			break
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
	if p != nil {
		p.awaitNode(timer.C, s.id)
	}
}

func (s *subscriber) Options() broker.SubscribeOptions { return s.opts }
func (s *subscriber) Topic() string                    { return s.topic }

// Done is closed when the subscription has ended and all that it took is handled.
func (s *subscriber) Done() <-chan struct{} { return s.queue.Done() }

// Unsubscribe deregisters the subscription, takes what is posted until that is done, and
// then no more.
func (s *subscriber) Unsubscribe() error {
	err := s.leave()
	s.receiver.remove(s)
	s.queue.Close()
	if err != nil {
		return fmt.Errorf("unsubscribe from %q: %w", s.topic, err)
	}
	return nil
}

// leave deregisters the subscription.
func (s *subscriber) leave() error {
	// The lifetime of the stop itself.
	ctx, cancel := context.WithTimeout(context.Background(), defaults.DeregisterTimeout)
	defer cancel()
	return s.enrollment.Stop(ctx)
}
