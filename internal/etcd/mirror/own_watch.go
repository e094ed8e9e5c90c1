package mirror

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A program's own client may have a Watcher of the program's in it, such as the one
// of etcd's namespace package, which puts a prefix before every key. Watches must
// then go through it, each with a goroutine of its own.

// followOwn begins one, in place of a watch over the stream. w.mu is held.
func (w *Watcher) followOwn(one *Watch) {
	w.watches[one.id] = one
	w.conn.Go(func(life context.Context) {
		ctx, stop := context.WithCancelCause(life)
		defer stop(nil)
		w.mu.Lock()
		one.stop = stop
		over := one.over
		w.mu.Unlock()
		if over {
			return
		}
		err := w.readOwn(ctx, one)
		w.mu.Lock()
		over = one.over || life.Err() != nil
		one.over = true
		delete(w.watches, one.id)
		w.mu.Unlock()
		if !over {
			one.o.Lost(one, w.conn.Explain("watch "+one.key, err))
		}
	})
}

// readOwn watches until the watch ends and returns why. A new connection ends it: the
// client would go on from where it was, even in the history of another etcd.
func (w *Watcher) readOwn(ctx context.Context, one *Watch) error {
	w.conn.Counters().Watches.Add(1)
	answers := w.own.Watch(clientv3.WithRequireLeader(ctx), one.key, clientv3.WithRev(one.from), clientv3.WithCreatedNotify())
	for {
		link := w.conn.Link()
		if link.Up && link.Generation != one.generation {
			return errRenewed
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-link.Changed:
		case resp, more := <-answers:
			switch err := resp.Err(); {
			case !more:
				return errors.New("the stream ended")
			case err != nil:
				return err
			case resp.Created && resp.Header.Revision < one.from-1:
				return fmt.Errorf("etcd's revision went back from %d to %d", one.from-1, resp.Header.Revision)
			}
			w.conn.MarkReceived()
			w.conn.Counters().Events.Add(uint64(len(resp.Events)))
			for _, e := range resp.Events {
				one.o.Changed(one, e.Kv.ModRevision, present((*mvccpb.Event)(e)))
			}
		}
	}
}
