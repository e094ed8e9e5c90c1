// Package mirror copies keys of etcd into memory, keeps the copy right, and never
// loses a change without saying so. It knows keys and revisions, no services.
package mirror

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
)

// tuningFor returns the times of a mirror over conn.
func tuningFor(conn *etcd.Conn) tuning {
	silence, probe := conn.Limits()
	return tuning{
		silence: silence,
		probe:   probe,
		resync:  defaults.Resync,
		confirm: 3 * time.Second,
		grace:   time.Second,
		steady:  10 * time.Second,
		// Half of what the connection may pause: however often both are lost in a row,
		// the view is right again less than two seconds later.
		again: backoff.Backoff{Base: defaults.EtcdBaseDelay, Max: defaults.EtcdMaxDelay / 2},
	}
}

// Follow mirrors the keys that begin with prefix, or with single the one key of
// that name, and tells o every change. It returns nil when ctx is done, and an
// error if the configuration is wrong or conn is closed. Nothing else ends it:
// while etcd cannot be reached it keeps what it has and goes on trying.
//
// While connected, every change arrives once and in order. Whenever that cannot
// be guaranteed, be it that the connection was made anew, that history was
// compacted, or that etcd lost its data, the keys are listed again and the net
// difference arrives as one Change with Reset set.
//
// All mirrors of a Conn share one stream.
func Follow(ctx context.Context, conn *etcd.Conn, prefix string, single bool, o Observer) error {
	return follow(ctx, conn, prefix, single, o, tuningFor(conn))
}

func follow(ctx context.Context, conn *etcd.Conn, prefix string, single bool, o Observer, tune tuning) error {
	life, release, err := conn.Hold(ctx)
	if err != nil {
		return conn.Explain("follow "+prefix, err)
	}
	defer release()
	m := &mirror{Observer: o, conn: conn, key: prefix, tune: tune, told: make(chan told), life: life}
	if !single {
		m.options = append(m.options, clientv3.WithPrefix())
	}
	m.run()
	if ctx.Err() == nil {
		return conn.Explain("follow "+prefix, etcd.ErrClosed)
	}
	return nil
}

// mirror does for its rules what they ask and tells them what comes of it. All
// but the requests themselves happens in the goroutine of run.
type mirror struct {
	Observer
	conn    *etcd.Conn
	tune    tuning
	key     string
	options []clientv3.OpOption

	life  context.Context
	wg    sync.WaitGroup
	told  chan told
	rules *rules

	listing, watching, probing request
}

var _ effects = (*mirror)(nil)

// request is a request under way. Its ctx ends when its answer is not wanted
// any more.
type request struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// told is an answer to a request on its way to the rules.
type told struct {
	ctx  context.Context
	tell func(now time.Time)
}

func (m *mirror) run() {
	defer m.wg.Wait()
	defer m.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	link := m.conn.Link()
	m.rules = newRules(m, m.tune, rand.Float64)
	m.rules.start(time.Now(), link)
	for {
		if next := m.rules.next(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-m.life.Done():
			return
		case t := <-m.told:
			if t.ctx.Err() == nil {
				t.tell(time.Now())
			}
		case <-link.Changed:
			link = m.conn.Link()
			m.rules.linked(time.Now(), link)
		case now := <-timer.C:
			m.rules.tick(now, m.conn.Link().Heard, m.conn.LastWatchConfirmed())
		}
	}
}

// begin runs f in a goroutine, in place of the request r.
func (m *mirror) begin(r *request, f func(ctx context.Context)) {
	r.stop()
	r.ctx, r.cancel = context.WithCancel(m.life)
	ctx := r.ctx
	m.wg.Go(func() { f(ctx) })
}

func (r *request) stop() {
	if r.cancel != nil {
		r.cancel()
	}
}

// tell hands an answer to the rules. It reports false if nobody wants it.
func (m *mirror) tell(ctx context.Context, f func(now time.Time)) bool {
	select {
	case m.told <- told{ctx, f}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (m *mirror) list() {
	m.begin(&m.listing, func(ctx context.Context) {
		if err := m.conn.Listings().Wait(ctx); err != nil {
			return // nobody wants it any more
		}
		link, begun := m.conn.Link(), time.Now()
		var resp *clientv3.GetResponse
		err := m.conn.Do(ctx, "list "+m.key, func(ctx context.Context, client *clientv3.Client) (err error) {
			resp, err = client.Get(ctx, m.key, m.options...)
			return err
		})
		if err != nil {
			m.tell(ctx, func(now time.Time) { m.rules.listFailed(now, err) })
			return
		}
		m.conn.Counters().Listings.Add(1)
		entries := make([]Entry, len(resp.Kvs))
		for i, kv := range resp.Kvs {
			entries[i] = EntryOf(kv)
		}
		took := time.Since(begun)
		m.tell(ctx, func(now time.Time) {
			m.rules.sent(link, took)
			m.rules.listed(now, positionOf(resp.Header), entries)
		})
	})
}

func (m *mirror) probe() {
	m.begin(&m.probing, func(ctx context.Context) {
		bounded, cancel := context.WithTimeout(ctx, m.tune.probe)
		defer cancel()
		var at position
		err := m.conn.Do(bounded, "probe "+m.key, func(ctx context.Context, client *clientv3.Client) error {
			resp, err := client.Get(ctx, m.key, clientv3.WithCountOnly())
			if err == nil {
				at = positionOf(resp.Header)
			}
			return err
		})
		m.tell(ctx, func(now time.Time) { m.rules.probed(now, at, err) })
	})
}

func (m *mirror) watch(from int64) {
	m.conn.Counters().Watches.Add(1)
	m.begin(&m.watching, func(ctx context.Context) {
		err := m.read(ctx, from)
		m.tell(ctx, func(now time.Time) { m.rules.closed(now, m.conn.Explain("watch "+m.key, err)) })
	})
}

// read watches until the watch ends and returns why.
func (m *mirror) read(ctx context.Context, from int64) error {
	client, err := m.conn.Ready(ctx)
	if err != nil {
		return err
	}
	watching, err := m.conn.Watching(ctx)
	if err != nil {
		return err
	}
	options := append([]clientv3.OpOption{
		clientv3.WithRev(from), clientv3.WithCreatedNotify(), clientv3.WithProgressNotify(),
	}, m.options...)
	for resp := range client.Watch(watching, m.key, options...) {
		if err := resp.Err(); err != nil {
			return err
		}
		m.conn.MarkReceived()
		m.conn.Counters().Events.Add(uint64(len(resp.Events)))
		at := positionOf(resp.Header)
		tell := func(now time.Time) { m.rules.created(now, at) }
		if resp.Created {
			m.conn.MarkWatchConfirmed()
		} else {
			events := eventsOf(resp.Events)
			tell = func(now time.Time) { m.rules.watched(now, at, events) }
		}
		if !m.tell(ctx, tell) {
			return ctx.Err()
		}
	}
	return errors.New("the stream ended")
}

func (m *mirror) end() {
	m.listing.stop()
	m.watching.stop()
	m.probing.stop()
}

func (m *mirror) suspect(generation uint64, cause error) { m.conn.Reconnect(generation, cause) }

func positionOf(h *etcdserverpb.ResponseHeader) position {
	return position{cluster: h.GetClusterId(), term: h.GetRaftTerm(), rev: h.GetRevision()}
}

// EntryOf returns kv as an Entry.
func EntryOf(kv *mvccpb.KeyValue) Entry {
	return Entry{
		Key:            string(kv.Key),
		Value:          kv.Value,
		Lease:          kv.Lease,
		CreateRevision: kv.CreateRevision,
		ModRevision:    kv.ModRevision,
	}
}

func eventsOf(in []*clientv3.Event) []watchEvent {
	out := make([]watchEvent, len(in))
	for i, e := range in {
		out[i] = watchEvent{deleted: e.Type == clientv3.EventTypeDelete, entry: EntryOf(e.Kv)}
	}
	return out
}
