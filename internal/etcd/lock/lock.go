// Package lock waits in line for keys in etcd, and holds them. It knows no services.
//
// A line is a prefix. Who wants what it stands for puts a key below it, under a lease of its
// own: a place. The place with the lowest revision of creation holds; the others wait, each
// for the one before it to go. So the order is that of arrival, a revision is also a token
// that grows from holder to holder, and whoever dies is out of the line when the lease ends.
// This is what package concurrency of etcd's client does, and so go-micro v2: they stand in
// one line with us.
//
// A holder must know when it holds no more. A lease is renewed three times within its time
// to live (TTL), and what is held counts as lost once the TTL has passed since the last
// renewal that was answered was sent: etcd gives nothing away before that, as long as the
// clocks of both run equally fast and the process is not stopped.
package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/refusal"
)

// errNoPlace says that a place in the line was lost before its turn.
var errNoPlace = errors.New("the place in the line was lost")

// Spec says what is wanted.
type Spec struct {
	Name  string // for errors
	Line  string // the prefix; see layout.Line
	Value []byte // of the key
	// TTL is how long the key outlives its owner. It is rounded up to whole seconds. etcd
	// may give more.
	TTL time.Duration
	// Leaving counts what is being taken back from etcd beside: of those who wait no more.
	// Wait for it before the Conn is closed.
	Leaving *sync.WaitGroup
}

const (
	retryBase, retryMax = 100 * time.Millisecond, time.Second
	// lookEvery is how often whoever waits looks at the line, whatever was heard of it.
	lookEvery = 5 * time.Second
)

// Acquire waits in line until what it is for is held, or ctx ends, and leaves no key in the
// second case, as soon as etcd answers. An etcd that does not answer at the beginning is an
// error; who stands in line already waits through an outage, and stands at the end of the
// line after one that was longer than the TTL.
func Acquire(ctx context.Context, conn *etcd.Conn, spec Spec) (*Hold, error) {
	if err := conn.Err(); err != nil {
		return nil, err
	}
	ctx, release, err := conn.Hold(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", spec.Name, err)
	}
	defer release()
	retry := backoff.Backoff{Base: retryBase, Max: retryMax}
	for attempt := 0; ; attempt++ {
		link := conn.Link()
		h, err := join(ctx, conn, spec)
		if err == nil {
			if err = h.await(ctx); err == nil {
				return h, nil
			}
			h.leave()
		}
		switch {
		case h != nil && ctx.Err() != nil:
			return nil, conn.Explain(fmt.Sprintf("lock %q", spec.Name), context.Cause(ctx))
		case h == nil && (attempt == 0 || ctx.Err() != nil), refusal.Of(err) != refusal.None:
			return nil, err
		}
		conn.Rest(ctx, retry.Next(attempt), link)
	}
}

// join gets a place at the end of the line.
func join(ctx context.Context, conn *etcd.Conn, spec Spec) (*Hold, error) {
	h := newHold(conn, spec)
	begun := time.Now()
	err := conn.Do(ctx, h.doing(), func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.Grant(ctx, int64((spec.TTL+time.Second-1)/time.Second))
		if err == nil {
			h.lease, h.ttl = answer.ID, time.Duration(answer.TTL)*time.Second
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	h.deadline = begun.Add(h.ttl)
	h.key = layout.Place(spec.Line, int64(h.lease))
	err = conn.Do(ctx, h.doing(), func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.Put(ctx, h.key, string(spec.Value), clientv3.WithLease(h.lease))
		if err == nil {
			h.token = answer.Header.Revision // nobody else writes the key
		}
		return err
	})
	if err == nil && !conn.Go(h.keep) {
		err = etcd.ErrClosed
	}
	if err != nil {
		close(h.kept) // nobody keeps it
		h.leave()
		return nil, err
	}
	return h, nil
}

// await returns nil when it is this place's turn.
func (h *Hold) await(ctx context.Context) error {
	for {
		before, revision, err := h.look(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errNoPlace), refusal.Of(err) != refusal.None:
			return err
		case err == nil && before == "":
			return h.Err()
		}
		h.watch(ctx, before, revision)
		if err := h.Err(); err != nil {
			return errNoPlace
		}
	}
}

// look returns the key of the place before this one, "" if there is none, and as of which
// revision that is so.
func (h *Hold) look(ctx context.Context) (before string, revision int64, err error) {
	err = h.conn.Do(ctx, h.doing(), func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.Txn(ctx).Then(
			clientv3.OpGet(h.key, clientv3.WithKeysOnly()),
			clientv3.OpGet(h.spec.Line, clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithMaxCreateRev(h.token-1),
				clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortDescend), clientv3.WithLimit(1)),
		).Commit()
		if err != nil {
			return err
		}
		revision = answer.Header.Revision
		own, others := answer.Responses[0].GetResponseRange().GetKvs(), answer.Responses[1].GetResponseRange().GetKvs()
		if len(own) == 0 || own[0].CreateRevision != h.token {
			return errNoPlace
		}
		if len(others) > 0 {
			before = string(others[0].Key)
		}
		return nil
	})
	return before, revision, err
}

// watch returns when the key may have gone since the revision, when this place is lost, or
// when it is time for another look.
func (h *Hold) watch(ctx context.Context, key string, revision int64) {
	ctx, cancel := context.WithTimeout(ctx, min(lookEvery, max(h.ttl/3, time.Second)))
	defer cancel()
	var events clientv3.WatchChan
	if client, err := h.conn.Ready(ctx); err == nil && key != "" {
		if watching, err := h.conn.Watching(ctx); err == nil {
			events = client.Watch(watching, key, clientv3.WithRev(revision+1), clientv3.WithFilterPut())
		}
	}
	if events == nil { // an error: the next look says which
		select {
		case <-h.Lost():
		case <-ctx.Done():
		}
		return
	}
	select {
	case _, ok := <-events:
		if !ok {
			h.conn.Rest(ctx, retryBase, h.conn.Link())
		}
	case <-h.Lost():
	case <-ctx.Done():
	}
}

func (h *Hold) doing() string { return fmt.Sprintf("lock %q", h.spec.Name) }
