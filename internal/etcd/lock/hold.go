package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	gosync "sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/ending"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/sync"
)

// Hold is what is held: a place in a line, at first. Its methods may be called by several
// goroutines at once. One goroutine of the Conn, keep, renews the lease until the end.
type Hold struct {
	conn  *etcd.Conn
	spec  Spec
	lease clientv3.LeaseID
	ttl   time.Duration // that etcd granted
	key   string
	token int64 // the revision at which the key was created

	ending *ending.Ending
	kept   chan struct{} // closed when keep has ended

	mu       gosync.Mutex
	deadline time.Time // until when etcd keeps the lease, at least
}

func newHold(conn *etcd.Conn, spec Spec) *Hold {
	return &Hold{conn: conn, spec: spec, ending: ending.New(), kept: make(chan struct{})}
}

// Token returns a number that is higher than that of everybody who held before.
func (h *Hold) Token() int64 { return h.token }

// Lost is closed when it is held no more, because it was lost or released.
func (h *Hold) Lost() <-chan struct{} { return h.ending.Done() }

// Err returns nil while it is held, and then why it is not: sync.ErrReleased, or sync.ErrLost
// wrapped. It looks at the clock, and so knows it at once after the process was stopped.
func (h *Hold) Err() error {
	h.mu.Lock()
	late := time.Until(h.deadline) <= 0
	h.mu.Unlock()
	if late {
		h.ending.End(fmt.Errorf("%w: etcd has not confirmed it for %v", sync.ErrLost, h.ttl))
	}
	return h.ending.Err()
}

// Status returns a channel that gets true and is closed when it is held no more.
func (h *Hold) Status() chan bool { return h.ending.Status() }

// Ended calls f when it is held no more. f must not block.
func (h *Hold) Ended(f func()) { h.ending.Then(f) }

// Release gives it up and returns nil once the key is gone. If etcd does not answer in time,
// it is gone at the end of the TTL. It returns why it was lost, if it was before.
func (h *Hold) Release(ctx context.Context) error {
	was := h.Err()
	if !h.ending.End(sync.ErrReleased) {
		was = h.ending.Err() // it may have been lost just now
	}
	<-h.kept // it is through at once
	switch {
	case errors.Is(was, sync.ErrReleased):
		return nil
	case was != nil:
		h.leave()
		return fmt.Errorf("release %q: %w", h.spec.Name, was)
	}
	if err := h.revoke(ctx); err != nil {
		return fmt.Errorf("%w: it stays until its lease of %v ends", err, h.ttl)
	}
	return nil
}

// leave gives the place up without waiting for etcd.
func (h *Hold) leave() {
	h.ending.End(sync.ErrReleased)
	h.spec.Leaving.Go(func() {
		<-h.kept
		_ = h.revoke(context.Background()) // bounded by the timeout of the Conn; else the lease ends by itself
	})
}

func (h *Hold) revoke(ctx context.Context) error {
	err := h.conn.Do(ctx, fmt.Sprintf("release %q", h.spec.Name), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Revoke(ctx, h.lease)
		return err
	})
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return err
}

// keep renews the lease until the end.
func (h *Hold) keep(ctx context.Context) {
	defer close(h.kept)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.ending.Then(cancel)
	timer := time.NewTimer(h.ttl / 3)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			h.ending.End(fmt.Errorf("%w: %w", sync.ErrLost, etcd.ErrClosed))
			return
		case <-timer.C:
		}
		link := h.conn.Link()
		sent := time.Now()
		ttl, err := h.renew(ctx)
		switch {
		case err == nil:
			h.mu.Lock()
			h.deadline = sent.Add(ttl)
			h.mu.Unlock()
			timer.Reset(ttl / 3)
			continue
		case errors.Is(err, rpctypes.ErrLeaseNotFound):
			h.ending.End(fmt.Errorf("%w: its lease ended or was revoked", sync.ErrLost))
		case errors.Is(err, errNoPlace):
			h.ending.End(fmt.Errorf("%w: somebody deleted its key", sync.ErrLost))
		case h.Err() == nil:
			h.conn.Rest(ctx, retryBase, link)
			timer.Reset(0)
		}
	}
}

// renew renews the lease and looks whether the key is there. It takes no longer than until
// what is held would be lost.
func (h *Hold) renew(ctx context.Context) (ttl time.Duration, err error) {
	h.mu.Lock()
	deadline := h.deadline
	h.mu.Unlock()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	err = h.conn.Do(ctx, fmt.Sprintf("renew %q", h.spec.Name), func(ctx context.Context, client *clientv3.Client) error {
		if ttl, err = keepAlive(ctx, client, h.lease); err != nil {
			return err
		}
		answer, err := client.Get(ctx, h.key, clientv3.WithKeysOnly())
		if err == nil && (len(answer.Kvs) == 0 || answer.Kvs[0].CreateRevision != h.token) {
			err = errNoPlace
		}
		return err
	})
	return ttl, err
}

// keepAlive renews a lease once. KeepAliveOnce of etcd's client asks again and again, without
// a rest, while there is no connection.
func keepAlive(ctx context.Context, client *clientv3.Client, lease clientv3.LeaseID) (time.Duration, error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	stream, err := clientv3.RetryLeaseClient(client).LeaseKeepAlive(ctx)
	if err != nil {
		return 0, err
	}
	if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: int64(lease)}); err != nil && err != io.EOF {
		return 0, err
	}
	answer, err := stream.Recv()
	switch {
	case err != nil:
		return 0, err
	case answer.TTL <= 0:
		return 0, rpctypes.ErrLeaseNotFound
	}
	return time.Duration(answer.TTL) * time.Second, nil
}
