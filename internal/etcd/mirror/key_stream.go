package mirror

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/internal/etcd"
)

// keyStream is one stream of a Watcher. run alone uses it, but for what receive
// reports through the Watcher's mutex.
type keyStream struct {
	pb.Watch_WatchClient
	token      string // of the user, with which it was opened
	generation uint64 // of the connection

	// What follows is guarded by the Watcher's mutex.
	ids     map[int64]*Watch // by etcd's id
	asked   []*Watch         // asked for and not yet confirmed, oldest first
	ownIDs  bool             // etcd takes the ids that we choose
	settled bool             // ownIDs is known
	last    time.Time        // the last confirmation
}

// session opens a stream, watches over it what is wanted, and returns why it
// ended. It does not return nil.
func (w *Watcher) session(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	opening := time.AfterFunc(w.conn.Timeout(), cancel)
	defer opening.Stop()
	s, err := w.open(ctx)
	if err != nil {
		return err
	}
	if !opening.Stop() {
		return fmt.Errorf("open the stream that watches keys: no answer within %v", w.conn.Timeout())
	}
	received := make(chan error, 1)
	go func() { received <- w.receive(s) }()
	var probed chan error    // nil: no probe is under way
	var probedLast time.Time // when one last ended
	defer func() {
		cancel()
		if received != nil {
			<-received
		}
		if probed != nil {
			<-probed
		}
	}()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		link := w.conn.Link()
		if link.Up && link.Generation != s.generation {
			return errRenewed
		}
		next, err := w.turn(ctx, s)
		if err != nil {
			return err
		}
		silent := later(link.Heard, probedLast).Add(w.tune.silence)
		if now := time.Now(); probed == nil && !now.Before(silent) {
			probed = make(chan error, 1)
			go func() { probed <- w.probe(ctx) }()
		}
		if probed == nil && (next.IsZero() || silent.Before(next)) {
			next = silent
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-received:
			received = nil
			if errors.Is(err, rpctypes.ErrNoLeader) {
				// This member is cut off from the others; another may not be.
				w.conn.Reconnect(s.generation, err)
			}
			return err
		case err := <-probed:
			probed, probedLast = nil, time.Now()
			if etcd.TimedOut(err) && ctx.Err() == nil {
				err = fmt.Errorf("%w: %w", errSilent, err)
				w.conn.Reconnect(s.generation, err)
				return err
			}
		case <-link.Changed:
		case <-w.work:
		case <-timer.C:
		}
	}
}

// open opens a stream.
func (w *Watcher) open(ctx context.Context) (*keyStream, error) {
	client, err := w.conn.Ready(ctx)
	if err != nil {
		return nil, err
	}
	watching, err := w.conn.Watching(ctx)
	if err != nil {
		return nil, err
	}
	cc := client.ActiveConnection()
	if cc == nil {
		return nil, etcd.ErrClosed
	}
	// grpc by itself takes 4 MiB at most, and would end the stream.
	stream, err := pb.NewWatchClient(cc).Watch(watching, grpc.MaxCallRecvMsgSize(math.MaxInt32))
	if err != nil {
		return nil, rpctypes.Error(err)
	}
	return &keyStream{
		Watch_WatchClient: stream, token: tokenOf(watching), generation: generationOf(w.conn.Link()),
		ids: make(map[int64]*Watch), last: time.Now(),
	}, nil
}

// generationOf returns the generation of the connection that answers what is asked
// now: the one that is up, or else the next one.
func generationOf(l etcd.Link) uint64 {
	if l.Up {
		return l.Generation
	}
	return l.Generation + 1
}

func tokenOf(ctx context.Context) string {
	md, _ := metadata.FromOutgoingContext(ctx)
	if tokens := md.Get(rpctypes.TokenFieldNameGRPC); len(tokens) > 0 {
		return tokens[0]
	}
	return ""
}

// turn sends what is to be sent. It returns when it wants to be called again at
// the latest, and an error if the stream is of no use any more.
func (w *Watcher) turn(ctx context.Context, s *keyStream) (time.Time, error) {
	w.mu.Lock()
	asking := len(w.waiting) > 0
	w.mu.Unlock()
	if asking {
		// etcd looks at a stream's token whenever a watch is added.
		watching, err := w.conn.Watching(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if tokenOf(watching) != s.token {
			return time.Time{}, errRenewed
		}
	}
	requests, stale, err := w.requests(s)
	for _, one := range stale {
		one.o.Lost(one, errRenewed)
	}
	if err != nil {
		return time.Time{}, err
	}
	for _, r := range requests {
		if err := s.Send(r); err != nil {
			return time.Time{}, err // receive says more
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	next := w.overdue(s)
	if len(w.waiting) > 0 && (next.IsZero() || w.askAt.Before(next)) && s.hasRoom() {
		next = w.askAt
	}
	return next, nil
}

// requests returns what is to be sent now, and notes that it was, and the watches
// that begin in the history of another connection.
func (w *Watcher) requests(s *keyStream) (all []*pb.WatchRequest, stale []*Watch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch overdue := w.overdue(s); {
	case w.broken != nil:
		return nil, nil, w.broken
	case !overdue.IsZero() && !now.Before(overdue):
		return nil, nil, errUnconfirmed
	}
	for _, one := range w.ended {
		delete(s.ids, one.etcdID)
		all = append(all, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: one.etcdID}}})
	}
	w.ended = nil
	for len(w.waiting) > 0 && !now.Before(w.askAt) && s.hasRoom() {
		one := w.waiting[0]
		w.waiting = w.waiting[1:]
		if one.over {
			continue
		}
		if one.generation != s.generation {
			one.over = true
			delete(w.watches, one.id)
			stale = append(stale, one)
			continue
		}
		one.asked = now
		s.asked = append(s.asked, one)
		w.conn.Counters().Watches.Add(1)
		all = append(all, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{
			Key: []byte(one.key), StartRevision: one.from, WatchId: one.id,
		}}})
	}
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	return all, stale, nil
}

// askedAtOnce is how many watches are asked for before the first of them is
// confirmed. So many fit into what grpc sends though etcd reads nothing: more, and
// run would hang while it sends, and not notice.
const askedAtOnce = 100

// hasRoom reports whether one more watch may be asked for. An etcd that does not take
// our ids is asked for one at a time, so that we know whose id it tells. w.mu is held.
func (s *keyStream) hasRoom() bool {
	return len(s.asked) == 0 || s.ownIDs && len(s.asked) < askedAtOnce
}

// overdue returns when the oldest watch that was asked for will have been
// unconfirmed for too long, zero if there is none. As long as others are confirmed
// it waits for its turn. w.mu is held.
func (w *Watcher) overdue(s *keyStream) time.Time {
	if len(s.asked) == 0 {
		return time.Time{}
	}
	return later(s.asked[0].asked, s.last).Add(w.tune.confirm)
}

// probe asks etcd for anything.
func (w *Watcher) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.tune.probe)
	defer cancel()
	return w.conn.Do(ctx, "probe the connection", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Get(ctx, w.anyKey(), clientv3.WithCountOnly())
		return err
	})
}

// anyKey returns a key that we may read, if there is one.
func (w *Watcher) anyKey() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.watches {
		return one.key
	}
	return "\x00"
}
