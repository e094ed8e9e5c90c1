// Package mirror copies keys of etcd into memory, keeps the copy right, and never
// loses a change without saying so. It knows keys and revisions, no services.
package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
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
		// Half of what the connection may wait: however often both are lost in a row,
		// the view is right again less than two seconds later.
		again: backoff.Backoff{Base: defaults.EtcdBaseDelay, Max: defaults.EtcdMaxDelay / 2},
	}
}

// Keys says what is mirrored.
type Keys struct {
	names   []string // at least one
	options []clientv3.OpOption
}

// Prefix is all keys that begin with one of the prefixes, none of which begins with
// another. What one transaction does below several of them is one Change.
func Prefix(prefix string, more ...string) Keys {
	return Keys{append([]string{prefix}, more...), []clientv3.OpOption{clientv3.WithPrefix()}}
}

// Key is one key.
func Key(key string) Keys { return Keys{names: []string{key}} }

// String names the keys, as errors do.
func (k Keys) String() string { return strings.Join(k.names, " and ") }

// Revisions returns at which revision each of the keys was last written, as of the
// revision that is returned with them.
func (k Keys) Revisions(ctx context.Context, conn *etcd.Conn, doing string) (written map[string]int64, revision int64, err error) {
	err = conn.Do(ctx, doing, func(ctx context.Context, client *clientv3.Client) error {
		header, kvs, err := k.get(ctx, client, clientv3.WithKeysOnly())
		if err != nil {
			return err
		}
		revision, written = header.Revision, make(map[string]int64, len(kvs))
		for _, kv := range kvs {
			written[string(kv.Key)] = kv.ModRevision
		}
		return nil
	})
	return written, revision, err
}

// get reads the keys, all of them at one revision.
func (k Keys) get(ctx context.Context, client *clientv3.Client, more ...clientv3.OpOption) (*etcdserverpb.ResponseHeader, []*mvccpb.KeyValue, error) {
	options := append(more, k.options...)
	if len(k.names) == 1 {
		resp, err := client.Get(ctx, k.names[0], options...)
		if err != nil {
			return nil, nil, err
		}
		return resp.Header, resp.Kvs, nil
	}
	var reads []clientv3.Op
	for _, name := range k.names {
		reads = append(reads, clientv3.OpGet(name, options...))
	}
	resp, err := client.Txn(ctx).Then(reads...).Commit()
	if err != nil {
		return nil, nil, err
	}
	var kvs []*mvccpb.KeyValue
	for _, one := range resp.Responses {
		kvs = append(kvs, one.GetResponseRange().GetKvs()...)
	}
	return resp.Header, kvs, nil
}

// Follow mirrors keys and tells o every change. It returns nil when ctx is done, and an
// error if the configuration is wrong or conn is closed. Nothing else ends it:
// while etcd cannot be reached it keeps what it has and goes on trying.
//
// While connected, every change arrives once and in order. Whenever that cannot
// be guaranteed, be it that the connection was made anew, that history was
// compacted, or that etcd lost its data, the keys are listed again and the net
// difference arrives as one Change with Reset set.
//
// All mirrors of a Conn share one stream.
func Follow(ctx context.Context, conn *etcd.Conn, keys Keys, o Observer) error {
	return follow(ctx, conn, keys, o, tuningFor(conn))
}

func follow(ctx context.Context, conn *etcd.Conn, keys Keys, o Observer, tune tuning) error {
	life, release, err := conn.Hold(ctx)
	if err != nil {
		return conn.Explain(fmt.Sprintf("follow %s", keys), err)
	}
	defer release()
	m := &mirror{Observer: o, conn: conn, keys: keys, tune: tune, reply: make(chan reply), life: life}
	m.run()
	if ctx.Err() == nil {
		return conn.Explain(fmt.Sprintf("follow %s", keys), etcd.ErrClosed)
	}
	return nil
}

// mirror does what its machine asks and tells it what comes of that. All but the
// requests themselves happens in the goroutine of run, which is that of Follow. There
// is one more for a listing, a watch and a probe each while they are under way; run
// ends them and waits for them.
type mirror struct {
	Observer
	conn *etcd.Conn
	tune tuning
	keys Keys

	life    context.Context
	wg      sync.WaitGroup
	reply   chan reply
	machine *machine

	listing, watching, probing request
}

var _ actions = (*mirror)(nil)

// request is a request under way. Its ctx ends when its answer is not wanted
// any more.
type request struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// reply is an answer to a request on its way to the machine.
type reply struct {
	ctx     context.Context
	deliver func(now time.Time)
}

func (m *mirror) run() {
	defer m.wg.Wait()
	defer m.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	link := m.conn.Link()
	m.machine = newMachine(m, m.tune, rand.Float64)
	m.machine.onStart(time.Now(), link)
	for {
		if next := m.machine.next(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-m.life.Done():
			return
		case t := <-m.reply:
			if t.ctx.Err() == nil {
				t.deliver(time.Now())
			}
		case <-link.Changed:
			link = m.conn.Link()
			m.machine.onLinkChange(time.Now(), link)
		case now := <-timer.C:
			m.machine.onTime(now, m.conn.Link().Heard, m.conn.LastWatchConfirmed())
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

// deliver hands an answer to the machine. It reports false if nobody wants it.
func (m *mirror) deliver(ctx context.Context, f func(now time.Time)) bool {
	select {
	case m.reply <- reply{ctx, f}:
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
		var header *etcdserverpb.ResponseHeader
		var kvs []*mvccpb.KeyValue
		err := m.conn.Do(ctx, fmt.Sprintf("list %s", m.keys), func(ctx context.Context, client *clientv3.Client) (err error) {
			header, kvs, err = m.keys.get(ctx, client)
			return err
		})
		if err != nil {
			m.deliver(ctx, func(now time.Time) { m.machine.onListFailed(now, err) })
			return
		}
		m.conn.Counters().Listings.Add(1)
		entries := make([]Entry, len(kvs))
		for i, kv := range kvs {
			entries[i] = EntryOf(kv)
		}
		took := time.Since(begun)
		m.deliver(ctx, func(now time.Time) {
			m.machine.onListSent(link, took)
			m.machine.onListed(now, positionOf(header), entries)
		})
	})
}

func (m *mirror) probe() {
	m.begin(&m.probing, func(ctx context.Context) {
		bounded, cancel := context.WithTimeout(ctx, m.tune.probe)
		defer cancel()
		var at position
		err := m.conn.Do(bounded, fmt.Sprintf("probe %s", m.keys), func(ctx context.Context, client *clientv3.Client) error {
			resp, err := client.Get(ctx, m.keys.names[0], clientv3.WithCountOnly())
			if err == nil {
				at = positionOf(resp.Header)
			}
			return err
		})
		m.deliver(ctx, func(now time.Time) { m.machine.onProbed(now, at, err) })
	})
}

func (m *mirror) end() {
	m.listing.stop()
	m.watching.stop()
	m.probing.stop()
}

func (m *mirror) reconnect(generation uint64, cause error) { m.conn.Reconnect(generation, cause) }

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
