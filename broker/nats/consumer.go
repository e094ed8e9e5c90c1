package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	nats "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/logger"
)

// consumer takes the messages of a subscription out of a stream.
type consumer struct {
	c       *connection
	topic   string
	queue   string
	name    string // of the consumer on the server
	handler broker.Handler
	auto    bool
	lane    *delivery.Lane[*message]

	stopping context.Context // is done when the subscription takes no more
	stop     context.CancelFunc
	poke     chan struct{} // the server may have forgotten the consumer
	freed    chan struct{} // a message was settled
	gone     chan struct{} // closed when nothing more is taken
	held     sync.WaitGroup

	mu       sync.Mutex
	last     uint64                // the sequence of the last message
	received map[*message]struct{} // not settled, and held by this process
}

// consume subscribes to what the stream of a topic keeps.
func (c *connection) consume(topic string, h broker.Handler, o broker.SubscribeOptions) (broker.Subscriber, error) {
	if !c.nc.IsConnected() {
		return nil, ErrAway
	}
	k := &consumer{
		c: c, topic: topic, queue: o.Queue, handler: h, auto: o.AutoAck,
		poke: make(chan struct{}, 1), freed: make(chan struct{}, 1), gone: make(chan struct{}), received: map[*message]struct{}{},
	}
	k.name = uuid.NewString()
	if o.Queue != "" {
		k.name = nameOf(o.Queue) + "-" + nameOf(topic)
	}
	k.lane = delivery.NewLane(delivery.Limits{Workers: o.Concurrency, Messages: heldMessages, Bytes: heldBytes},
		k.handle, func(m *message) int { return len(m.msg.Data()) })
	ctx, cancel := bounded(noContext, answerTimeout)
	defer cancel()
	on, err := k.open(ctx)
	if err != nil {
		return nil, waited(err)
	}
	k.begin()
	s := &subscription{c: c, topic: topic, opts: o, consumer: k}
	if err := c.add(s); err != nil {
		k.stop()
		return nil, err // the server forgets the consumer by itself
	}
	go k.run(on)
	k.held.Go(k.keep)
	return s, nil
}

// begin makes open resume what was received from now on.
func (k *consumer) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopping, k.stop = context.WithCancel(context.Background())
}

// open returns the consumer on the server, which it makes if there is none.
func (k *consumer) open(ctx context.Context) (jetstream.Consumer, error) {
	stream, err := k.c.streamOf(ctx, k.topic, true)
	if err != nil {
		return nil, err
	}
	there, err := k.c.js.Consumer(ctx, stream, k.name)
	if err == nil {
		config := there.CachedInfo().Config
		if config.AckWait == k.c.terms.AckWait || k.queue == "" {
			return there, nil
		}
		config.AckWait = k.c.terms.AckWait
		return k.c.js.UpdateConsumer(ctx, stream, config)
	}
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	config := jetstream.ConsumerConfig{
		Name: k.name, FilterSubject: k.topic, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: k.c.terms.AckWait, MaxDeliver: -1, // counted here, so that none stays behind unseen
		MaxAckPending: maxAckPending, DeliverPolicy: jetstream.DeliverNewPolicy,
	}
	if k.queue != "" {
		config.Durable = k.name
	} else {
		config.InactiveThreshold = heldByServer
	}
	if k.c.terms.FromStart {
		config.DeliverPolicy = jetstream.DeliverAllPolicy
	}
	if err := k.resume(ctx, stream, &config); err != nil {
		return nil, err
	}
	made, err := k.c.js.CreateConsumer(ctx, stream, config)
	if errors.Is(err, jetstream.ErrConsumerExists) {
		// Another member of the queue was faster.
		return k.c.js.Consumer(ctx, stream, k.name)
	}
	return made, err
}

// maxAckPending is how many messages of a queue may be handled, or wait to come again, at
// once.
const maxAckPending = 1024

// resume makes a consumer that the server has forgotten go on after what was received. A
// stream that is shorter than that was made anew: all of it is new.
func (k *consumer) resume(ctx context.Context, stream string, config *jetstream.ConsumerConfig) error {
	k.mu.Lock()
	last, begun := k.last, k.stopping != nil
	k.mu.Unlock()
	if !begun {
		return nil
	}
	s, err := k.c.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	config.DeliverPolicy = jetstream.DeliverAllPolicy
	if state := s.CachedInfo().State; last > 0 && state.LastSeq >= last {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, last+1
	}
	return nil
}

// look makes run ask the server for the consumer.
func (k *consumer) look() {
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

const (
	// fetchWait is how long the server holds a request for messages open.
	fetchWait = 2 * time.Second
	// inFlight is how long messages are awaited that may be on their way when the
	// subscription ends.
	inFlight = 50 * time.Millisecond
)

// run fetches messages until the subscription ends. Whatever goes wrong, it goes on: a
// connection that is lost comes back, and a consumer that the server has forgotten is made
// again.
func (k *consumer) run(on jetstream.Consumer) {
	defer close(k.gone)
	defer k.lane.Close()
	waits := backoff.Backoff{Base: reconnectBase, Max: reconnectMax}
	var said string
	for failures := 0; k.stopping.Err() == nil; {
		err := k.fetch(on)
		if err == nil {
			failures, said = 0, ""
			continue
		}
		if err == errReconnected {
			failures = 0
		} else if k.c.nc.IsConnected() && err.Error() != said {
			said = err.Error()
			logger.Warnf("Broker [nats] Subscription waits: %s: %v", k.topic, err)
		}
		k.pause(err, waits.Next(failures))
		failures++
		ctx, cancel := context.WithTimeout(k.stopping, answerTimeout)
		if again, err := k.open(ctx); err == nil {
			on = again
		}
		cancel()
	}
}

// pause waits for d, or until the connection was made again.
func (k *consumer) pause(why error, d time.Duration) {
	if why == errReconnected {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.poke:
	case <-k.stopping.Done():
	}
}

// fetch takes as many messages as there is room for, as long as there are any.
func (k *consumer) fetch(on jetstream.Consumer) error {
	room, err := k.room()
	if err != nil {
		return nil // the subscription has ended
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchWait)
	defer cancel()
	batch, err := on.Fetch(room, jetstream.FetchContext(ctx))
	if err != nil {
		return err
	}
	quiet := time.NewTimer(fetchWait)
	defer quiet.Stop()
	stopping := k.stopping.Done()
	poked := false
	for {
		select {
		case m, ok := <-batch.Messages():
			switch {
			case !ok && poked:
				return errReconnected
			case !ok:
				return gone(batch.Error())
			}
			k.take(m)
			if stopping == nil {
				quiet.Reset(inFlight)
			}
		case <-stopping:
			stopping = nil
			quiet.Reset(inFlight)
		case <-k.poke:
			poked = true
			cancel()
		case <-quiet.C:
			if stopping == nil {
				cancel()
			}
		}
	}
}

// errReconnected ends a fetch of a connection that was lost.
var errReconnected = errors.New("the connection was made again")

// gone returns why a fetch ended, nil if that is all right: the server says so when there
// is nothing for as long as it was asked to wait.
func gone(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server does not answer: %w", err)
	}
	return err
}
