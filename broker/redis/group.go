package redis

import (
	"context"
	"time"

	client "github.com/redis/go-redis/v9"
)

// keep tells the server which messages of a group are still in hands, until the
// subscription has ended and what it took is handled.
func (s *subscription) keep() {
	tick := time.NewTicker(s.c.terms.AckWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if s.opts.Queue != "" {
				s.bounded(s.renew)
			}
		case <-s.lane.Done():
			s.leave()
			return
		}
	}
}

// inherit takes over the messages of members that were lost, until the subscription ends.
// It may wait for room, which keep must not.
func (s *subscription) inherit() {
	tick := time.NewTicker(s.c.terms.AckWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if s.stopping.Err() == nil {
				s.bounded(s.adopt)
			}
		case <-s.stopping.Done():
			return
		}
	}
}

// bounded calls f with a context for one exchange with the server.
func (s *subscription) bounded(f func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), s.c.rdb.Options().ReadTimeout)
	defer cancel()
	f(ctx)
}

// renew makes the server count the idle time of held messages from now. Those for which
// that fails come again.
func (s *subscription) renew(ctx context.Context) {
	s.mu.Lock()
	ids := make([]string, 0, len(s.held))
	for id := range s.held {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	if len(ids) > 0 {
		_ = s.c.rdb.XClaimJustID(ctx, &client.XClaimArgs{Stream: s.key, Group: s.opts.Queue, Consumer: s.me, Messages: ids}).Err()
	}
}

// adopt takes messages whose members have not been heard of for AckWait. A failure leaves
// them for the next time.
func (s *subscription) adopt(ctx context.Context) {
	idle, err := s.c.rdb.XPendingExt(ctx, &client.XPendingExtArgs{
		Stream: s.key, Group: s.opts.Queue, Idle: s.c.terms.AckWait, Start: "-", End: "+", Count: heldMessages / 2,
	}).Result()
	if err != nil || len(idle) == 0 {
		return
	}
	times := map[string]int{}
	var ids []string
	for _, p := range idle {
		times[p.ID] = int(p.RetryCount) + 1
		ids = append(ids, p.ID)
	}
	entries, err := s.c.rdb.XClaim(ctx, &client.XClaimArgs{Stream: s.key, Group: s.opts.Queue, Consumer: s.me, MinIdle: s.c.terms.AckWait, Messages: ids}).Result()
	if err != nil {
		return
	}
	for _, entry := range entries {
		s.put(entry, times[entry.ID])
	}
}

// leave takes a member out of its group that has nothing in its hands. One that stays does
// no harm.
func (s *subscription) leave() {
	if s.opts.Queue == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	mine, err := s.c.rdb.XPendingExt(ctx, &client.XPendingExtArgs{Stream: s.key, Group: s.opts.Queue, Consumer: s.me, Start: "-", End: "+", Count: 1}).Result()
	if err == nil && len(mine) == 0 {
		_ = s.c.rdb.XGroupDelConsumer(ctx, s.key, s.opts.Queue, s.me).Err()
	}
}
