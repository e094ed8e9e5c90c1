package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Watcher watches many single keys over one stream. It is for those who know how
// a key stood at some revision and want to hear what became of it since.
//
// However many keys there are, it has three goroutines: run, which owns the stream
// and asks for watches, receive, which takes what arrives, and now and then one
// for a probe. They start with the first watch and end with the Conn.
//
// Its methods may be called by several goroutines at once.
type Watcher struct {
	conn *etcd.Conn
	tune tuning

	work chan struct{} // holds a token if run is to look at what follows

	mu      sync.Mutex
	running bool
	lastID  int64
	watches map[int64]*Watch // all that are not over
	waiting []*Watch         // not yet asked for, oldest first
	askAt   time.Time        // when to ask for them
	ended   []*Watch         // stopped, and to be cancelled in etcd
	broken  error            // why the stream is to be replaced, nil if it is not
}

// Watch is one key that is watched. It is over after Stop, or when its observer
// was told that it is lost.
type Watch struct {
	watcher    *Watcher
	key        string
	from       int64
	generation uint64 // of the connection that told what was before from
	o          KeyObserver

	// What follows is guarded by the watcher's mutex.
	id     int64     // that we ask for
	etcdID int64     // that etcd gave
	asked  time.Time // when etcd was asked for it
	ready  bool      // etcd confirmed it
	over   bool
}

// KeyObserver hears of one key. For one watch its methods are called one at a time
// and must return quickly. A call may still be under way when Stop returns.
type KeyObserver interface {
	// Changed gives the key's entry as of revision, nil if it is absent then.
	Changed(w *Watch, revision int64, entry *Entry)
	// Lost says that w is over because what happens to its key is no longer known:
	// look at the key, and watch again from there.
	Lost(w *Watch, err error)
}

// gather is how long a watch waits for others before etcd is asked for them
// together. From is in the past anyway.
const gather = 20 * time.Millisecond

// firstID is far from the ids that an etcd chooses which takes none from us, as
// 3.3 and etcd's proxy do.
const firstID = 1 << 32

// NewWatcher returns a Watcher over conn. It starts nothing before the first
// watch, and ends with conn.
func NewWatcher(conn *etcd.Conn) *Watcher {
	return &Watcher{
		conn: conn, tune: tuningFor(conn), lastID: firstID,
		work: make(chan struct{}, 1), watches: make(map[int64]*Watch),
	}
}

// Watch tells o what happens to key from revision from on. It returns at once.
// The Conn must still be the one over which the revision before was seen: when
// that changes, the watch is lost.
func (w *Watcher) Watch(key string, from int64, o KeyObserver) *Watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastID++
	one := &Watch{watcher: w, key: key, from: from, generation: w.conn.Link().Generation, o: o, id: w.lastID}
	if !w.running {
		w.running = w.conn.Go(w.run)
	}
	if w.running {
		w.watches[one.id] = one
		if len(w.waiting) == 0 {
			w.askAt = time.Now().Add(gather)
			w.wake()
		}
		w.waiting = append(w.waiting, one)
	}
	return one
}

// Stop ends the watch.
func (one *Watch) Stop() {
	w := one.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.over {
		return
	}
	one.over = true
	delete(w.watches, one.id)
	if one.ready { // else it is ended once it is
		w.ended = append(w.ended, one)
		w.wake()
	}
}

// Replace ends the stream, because what it tells cannot be right, and with it all
// watches.
func (w *Watcher) Replace(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = why
	w.wake()
}

func (w *Watcher) wake() {
	select {
	case w.work <- struct{}{}:
	default:
	}
}

// run keeps a stream open for as long as there are watches.
func (w *Watcher) run(ctx context.Context) {
	ctx, release, err := w.conn.Hold(ctx)
	if err != nil {
		return // there is nothing to watch over it
	}
	defer release()
	failures := 0
	for w.awaitWatch(ctx) {
		begun, link := time.Now(), w.conn.Link()
		err := w.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, rpctypes.ErrNoLeader) {
			// This member is cut off from the others; another may not be.
			w.conn.Reconnect(link.Generation, err)
		}
		w.loseAsked(w.conn.Explain("watch keys", err))
		if failures++; time.Since(begun) >= w.tune.steady {
			failures = 0
		}
		w.rest(ctx, w.tune.again.Next(failures), link)
	}
}

// awaitWatch waits until a watch is wanted. It reports false when ctx is done.
func (w *Watcher) awaitWatch(ctx context.Context) bool {
	for {
		w.mu.Lock()
		some := len(w.watches) > 0
		w.mu.Unlock()
		if some {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-w.work:
		}
	}
}

// rest waits for d, but not longer than until a connection comes up that is newer
// than before.
func (w *Watcher) rest(ctx context.Context, d time.Duration, before etcd.Link) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		link := w.conn.Link()
		if link.Up && link.Generation != before.Generation {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-link.Changed:
		}
	}
}

// loseAsked tells all watches that the stream carried that they are lost.
func (w *Watcher) loseAsked(err error) {
	var lost []*Watch
	w.mu.Lock()
	w.ended, w.broken = nil, nil
	for id, one := range w.watches {
		if !one.asked.IsZero() {
			one.over = true
			lost = append(lost, one)
			delete(w.watches, id)
		}
	}
	w.mu.Unlock()
	for _, one := range lost {
		one.o.Lost(one, err)
	}
}

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
	defer func() {
		cancel()
		if received != nil {
			<-received
		}
	}()

	timer := time.NewTimer(0)
	defer timer.Stop()
	var probed chan error // nil: no probe is under way
	defer func() {
		if probed != nil {
			<-probed
		}
	}()
	for {
		link := w.conn.Link()
		if link.Up && link.Generation != s.generation {
			return errRenewed
		}
		next, err := w.turn(ctx, s)
		if err != nil {
			return err
		}
		silent := link.Heard.Add(w.tune.silence)
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
			return err
		case err := <-probed:
			probed = nil
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
	stream, err := pb.NewWatchClient(cc).Watch(watching)
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
	if len(w.waiting) > 0 && (next.IsZero() || w.askAt.Before(next)) && (s.ownIDs || len(s.asked) == 0) {
		next = w.askAt
	}
	return next, nil
}

// requests returns what is to be sent now, and notes that it was, and the watches
// that begin in the history of another connection. An etcd that does not take our
// ids is asked for one watch at a time, so that we know whose id it tells.
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
	for len(w.waiting) > 0 && !now.Before(w.askAt) && (s.ownIDs || len(s.asked) == 0) {
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

// receive takes what arrives until the stream ends and returns why.
func (w *Watcher) receive(s *keyStream) error {
	for {
		resp, err := s.Recv()
		if err != nil {
			return rpctypes.Error(err)
		}
		w.conn.MarkReceived()
		one, err := w.take(s, resp)
		switch {
		case one == nil:
		case err != nil:
			one.o.Lost(one, w.conn.Explain("watch "+one.key, err))
		default:
			w.conn.Counters().Events.Add(uint64(len(resp.Events)))
			for _, e := range resp.Events {
				one.o.Changed(one, e.Kv.ModRevision, present(e))
			}
		}
	}
}

// take returns the watch that resp is about, nil if it is nobody's, with why it is
// lost.
func (w *Watcher) take(s *keyStream, resp *pb.WatchResponse) (*Watch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := s.ids[resp.WatchId]
	if resp.Created {
		one = s.confirm(resp.WatchId)
		s.last = time.Now()
		w.conn.MarkWatchConfirmed()
		w.wake() // for the next one, where it waits
	}
	if one == nil {
		return nil, nil
	}
	err := fault(one, resp)
	switch {
	case err != nil:
		delete(s.ids, resp.WatchId)
		delete(w.watches, one.id)
		if resp.Created && !s.ownIDs {
			w.broken = errDeafened // etcd 3.3 reads nothing more from a stream after a refusal
		}
	case resp.Created:
		one.ready, one.etcdID = true, resp.WatchId
		s.ids[resp.WatchId] = one
		if one.over { // stopped meanwhile
			w.ended = append(w.ended, one)
		}
	}
	if one.over {
		return nil, nil
	}
	one.over = err != nil
	return one, err
}

// confirm returns the watch that etcd confirms or refuses under id.
func (s *keyStream) confirm(id int64) *Watch {
	if len(s.asked) == 0 {
		return nil
	}
	i := 0 // one whose id is not ours is the oldest: answers come in order
	for j, one := range s.asked {
		if one.id == id {
			i = j
			break
		}
	}
	one := s.asked[i]
	s.asked = append(s.asked[:i], s.asked[i+1:]...)
	if !s.settled && id >= 0 {
		s.settled, s.ownIDs = true, one.id == id
	}
	return one
}

// fault returns why resp ends the watch, nil if it does not.
func fault(one *Watch, resp *pb.WatchResponse) error {
	switch {
	case resp.CompactRevision != 0:
		return rpctypes.ErrCompacted
	case resp.Canceled && strings.Contains(resp.CancelReason, "permission denied"):
		return rpctypes.ErrPermissionDenied
	case resp.Canceled:
		return fmt.Errorf("etcd ended the watch: %s", cmp.Or(resp.CancelReason, "it did not say why"))
	case resp.Created && resp.Header.GetRevision() < one.from-1:
		return fmt.Errorf("etcd's revision went back from %d to %d", one.from-1, resp.Header.GetRevision())
	}
	return nil
}

func present(e *mvccpb.Event) *Entry {
	if e.Type == mvccpb.DELETE {
		return nil
	}
	entry := EntryOf(e.Kv)
	return &entry
}
