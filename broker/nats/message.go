package nats

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/logger"
)

// message is one message that a consumer has taken.
type message struct {
	msg     jetstream.Msg
	seq     uint64
	times   int // it was given, this one included
	settled atomic.Bool
}

// take puts a message into the queue of the subscription.
func (k *consumer) take(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		k.c.handling.Failed(msg.Subject(), nil, fmt.Errorf("read what JetStream says of the message: %w", err))
		return
	}
	m := &message{msg: msg, seq: meta.Sequence.Stream, times: int(meta.NumDelivered)}
	k.mu.Lock()
	k.last = m.seq // one that comes again lowers it, and what is given twice is no loss
	k.received[m] = struct{}{}
	k.mu.Unlock()
	if k.lane.Put(context.Background(), m) != nil {
		k.release(m) // the subscription has ended
		k.giveBack(m, 0)
	}
}

// room waits until the subscription has room for messages, and returns for how many.
func (k *consumer) room() (int, error) {
	for {
		k.mu.Lock()
		n := heldMessages - len(k.received)
		k.mu.Unlock()
		if n >= heldMessages/2 {
			return n, nil
		}
		select {
		case <-k.freed:
		case <-k.stopping.Done():
			return 0, k.stopping.Err()
		}
	}
}

// release takes a message out of those that are held.
func (k *consumer) release(m *message) {
	k.mu.Lock()
	delete(k.received, m)
	k.mu.Unlock()
	select {
	case k.freed <- struct{}{}:
	default:
	}
}

// handle gives a message to the handler, and settles what becomes of it.
func (k *consumer) handle(m *message) {
	defer k.release(m)
	topic := m.msg.Subject()
	if limit := k.c.terms.MaxDeliver; limit > 0 && m.times > limit {
		// Each time before, its process was lost.
		k.bury(m, fmt.Errorf("it was given %d times, and nobody said what became of it", m.times-1))
		return
	}
	content := new(broker.Message)
	if err := k.c.codec.Unmarshal(m.msg.Data(), content); err != nil {
		err = fmt.Errorf("decode the message: %w", err)
		k.c.handling.Failed(topic, &broker.Message{Body: m.msg.Data()}, err)
		k.bury(m, err)
		return
	}
	k.c.handling.Handle(k.handler, delivery.Delivery{
		Topic: topic, Message: content,
		Ack: func() error {
			if m.settled.Swap(true) {
				return nil
			}
			return k.c.explain(m.msg.Ack())
		},
		Done: func(err error) {
			switch {
			case err == nil || m.settled.Load():
			case k.c.terms.retry().Last(m.times):
				k.bury(m, err)
			default:
				k.giveBack(m, k.c.terms.retry().Again(m.times))
			}
		},
	}, k.auto)
}

// giveBack lets a message come again after d. Without a connection it comes when AckWait
// is over.
func (k *consumer) giveBack(m *message, d time.Duration) {
	if !m.settled.Swap(true) {
		_ = m.msg.NakWithDelay(d)
	}
}

// bury puts a message aside for good. One that cannot be put aside comes again.
func (k *consumer) bury(m *message, why error) {
	topic := m.msg.Subject()
	letter := jetstream.WithMsgID(fmt.Sprintf("%s-%d", k.name, m.seq))
	if err := k.c.store(noContext, deadLetterTopic+topic, m.msg.Data(), letter); err != nil {
		logger.Errorf("Broker [nats] Cannot put a message aside yet: %s: %v", deadLetterTopic+topic, err)
		k.giveBack(m, k.c.terms.RetryMaxWait)
		return
	}
	logger.Errorf("Broker [nats] Message is put aside: %s: %v", deadLetterTopic+topic, why)
	if !m.settled.Swap(true) {
		_ = m.msg.Ack() // or else it comes again, and is put aside again as the same
	}
}

// keep tells the server of the messages that are held, so that they do not come again
// meanwhile, until the subscription has ended and all of them are handled.
func (k *consumer) keep() {
	tick := time.NewTicker(k.c.terms.AckWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, m := range k.all() {
				if !m.settled.Load() {
					_ = m.msg.InProgress() // without a connection it comes again
				}
			}
		case <-k.lane.Done():
			k.leave()
			return
		}
	}
}

func (k *consumer) all() []*message {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]*message, 0, len(k.received))
	for m := range k.received {
		all = append(all, m)
	}
	return all
}

// leave removes a consumer that is nobody else's from the server.
func (k *consumer) leave() {
	if k.queue != "" || !k.c.nc.IsConnected() {
		return
	}
	ctx, cancel := bounded(noContext, time.Second)
	defer cancel()
	if stream, err := k.c.streamOf(ctx, k.topic, false); err == nil {
		// The server forgets it by itself, later.
		_ = k.c.js.DeleteConsumer(ctx, stream, k.name)
	}
}

// finish waits until what was taken is handled, and gives back what is not.
func (k *consumer) finish(ctx context.Context) error {
	var err error
	select {
	case <-k.gone:
	case <-ctx.Done():
		err = errors.New("the server has not answered")
	}
	left, unhandled := delivery.Finish(ctx, k.topic, k.lane)
	for _, m := range left {
		k.release(m)
		k.giveBack(m, 0)
	}
	if err = errors.Join(err, unhandled); err == nil {
		k.held.Wait()
	}
	return err
}
