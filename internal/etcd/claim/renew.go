package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// renewals keeps one stream open on which all leases are renewed.
//
// clientv3 has a loop for that. It is not used because it repeats what is not
// answered twice a second, learns of a new connection up to half a second late,
// and gives a lease up after its time to live without asking etcd.
func (k *Keeper) renewals(ctx context.Context) {
	retry := retryBackoff(k.random)
	for failures := 0; ; failures++ {
		if !k.awaitLease(ctx) {
			return
		}
		begun, link := time.Now(), k.conn.Link()
		// Why a session ended is told by the link, and by what becomes of the leases.
		_ = k.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > renewalLimit {
			failures = 0
		}
		k.conn.Rest(ctx, retry.Next(failures), link)
	}
}

// awaitLease waits until there is a lease to renew. It reports false when ctx is
// done.
func (k *Keeper) awaitLease(ctx context.Context) bool {
	for {
		k.mu.Lock()
		some := !k.renewing.next().IsZero()
		k.mu.Unlock()
		if some {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-k.renew:
		}
	}
}

// session opens a stream, renews over it what is due, and returns why it ended.
// It does not return nil.
func (k *Keeper) session(parent context.Context) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(parent))
	defer cancel()
	opening := time.AfterFunc(k.conn.Timeout(), cancel)
	defer opening.Stop()
	client, err := k.conn.Ready(ctx)
	if err != nil {
		return err
	}
	generation := k.conn.Link().Generation
	stream, err := clientv3.RetryLeaseClient(client).LeaseKeepAlive(ctx)
	if err != nil {
		return err
	}
	if !opening.Stop() {
		return fmt.Errorf("open the stream that renews leases: no answer within %v", k.conn.Timeout())
	}
	if l := k.conn.Link(); l.Up {
		generation = l.Generation
	}
	ended := make(chan error, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		ended <- k.receive(stream)
	}()
	defer func() {
		cancel()
		<-finished
	}()

	k.renewAgain()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, next, late := k.dueRenewals(time.Now())
		if late {
			err := fmt.Errorf("no answer to the renewal of a lease within %v", renewalLimit)
			k.conn.Reconnect(generation, err)
			return err
		}
		for _, id := range due {
			if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
				return err
			}
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case <-k.renew:
		case <-timer.C:
		}
	}
}

// receive takes the answers from stream until it ends and returns why.
func (k *Keeper) receive(stream pb.Lease_LeaseKeepAliveClient) error {
	for {
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		if resp == nil {
			return errors.New("empty answer to the renewal of a lease")
		}
		k.conn.MarkReceived()
		k.renewed(resp.ID, time.Duration(resp.TTL)*time.Second)
	}
}

// renewAgain makes every renewal due at once.
func (k *Keeper) renewAgain() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for l := range k.leases {
		if l.id != 0 && !l.spare {
			l.renewNow()
			k.plan(time.Now(), l)
		}
	}
}

// dueRenewals marks as sent and returns the leases to renew now, the time at
// which to ask again, and whether an answer is overdue.
func (k *Keeper) dueRenewals(now time.Time) (due []int64, next time.Time, late bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		l, ok := k.renewing.take(now)
		if !ok {
			return due, k.renewing.next(), false
		}
		if l.waiting {
			k.renewing.set(l, now) // it stays due, for the next stream
			return due, now, true
		}
		l.onRenewSent(now)
		due = append(due, l.id)
		k.plan(now, l)
	}
}
