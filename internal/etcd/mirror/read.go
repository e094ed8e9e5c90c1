package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func (m *mirror) watch(from int64) {
	m.conn.Counters().Watches.Add(1)
	m.begin(&m.watching, func(ctx context.Context) {
		err := m.read(ctx, from)
		m.deliver(ctx, func(now time.Time) {
			m.machine.onWatchClosed(now, m.conn.Explain(fmt.Sprintf("watch %s", m.keys), err))
		})
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
	}, m.keys.options...)
	if len(m.keys.names) > 1 {
		return m.readJoined(watching, client, from, options)
	}
	for resp := range client.Watch(watching, m.keys.names[0], options...) {
		if err := m.received(resp); err != nil {
			return err
		}
		at := positionOf(resp.Header)
		deliver := func(now time.Time) { m.machine.onWatchCreated(now, at) }
		if !resp.Created {
			events := eventsOf(resp.Events)
			deliver = func(now time.Time) { m.machine.onWatchEvents(now, at, events) }
		}
		if !m.deliver(ctx, deliver) {
			return ctx.Err()
		}
	}
	return errEnded
}

var errEnded = errors.New("the stream ended")

// received notes an answer of a watch and returns what is wrong with it.
func (m *mirror) received(resp clientv3.WatchResponse) error {
	if err := resp.Err(); err != nil {
		return err
	}
	if resp.Created {
		m.conn.MarkWatchConfirmed()
	}
	m.conn.MarkReceived()
	m.conn.Counters().Events.Add(uint64(len(resp.Events)))
	return nil
}

// answer is what the watch of one of several prefixes got. ok is false at its end.
type answer struct {
	of   int
	resp clientv3.WatchResponse
	ok   bool
}

// askAgain is how long etcd has to tell how far its watches are before it is asked again:
// it does not answer while one of them has not caught up.
const askAgain = 100 * time.Millisecond

// apart is how long events wait for that answer. Then everything is listed again, which
// is how an etcd is followed, after askAgain, that cannot answer, or answers too early.
const apart = time.Second

// errApart says that etcd does not tell whether all that belongs to a revision is there.
var errApart = errors.New("etcd does not tell how far its watches are")

// readJoined watches several prefixes over one stream, and delivers events when those of
// all prefixes up to their revision are there. As a prefix in which nothing happens says
// nothing, etcd is asked how far it is whenever events wait.
func (m *mirror) readJoined(ctx context.Context, client *clientv3.Client, from int64, options []clientv3.OpOption) error {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan answer)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i, name := range m.keys.names {
		watch := client.Watch(ctx, name, options...)
		wg.Go(func() {
			for resp := range watch {
				select {
				case answers <- answer{i, resp, true}:
				case <-ctx.Done():
					return
				}
			}
			select {
			case answers <- answer{of: i}:
			case <-ctx.Done():
			}
		})
	}
	limit, honest := apart, m.conn.TellsProgress(ctx)
	if !honest {
		limit = askAgain
	}
	j := newJoint(len(m.keys.names), from-1, honest)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var waiting, asked time.Time // since when events wait, and when etcd was last asked
	answered := 0                // how many of the watches have an answer to that
	for {
		if !j.waits() {
			timer.Stop()
			waiting, asked = time.Time{}, time.Time{}
		} else if now := time.Now(); now.Sub(asked) >= askAgain || answered >= len(j.at) {
			if waiting.IsZero() {
				waiting = now
			}
			if now.Sub(waiting) >= limit {
				return errApart
			}
			asked, answered = now, 0
			if honest {
				if err := client.RequestProgress(ctx); err != nil {
					return err
				}
			}
			timer.Reset(askAgain)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			continue
		case a := <-answers:
			if !a.ok {
				return errEnded
			}
			if err := m.received(a.resp); err != nil {
				return err
			}
			if a.resp.IsProgressNotify() {
				answered++
			}
			for _, deliver := range j.take(a.of, a.resp) {
				waiting = time.Time{}
				if !m.deliver(ctx, func(now time.Time) { deliver(m.machine, now) }) {
					return ctx.Err()
				}
			}
		}
	}
}

// joint puts the answers of several watches together. It belongs to one goroutine.
type joint struct {
	at      []int64 // up to which revision each has told everything
	created int     // how many stand
	first   position
	pending []watchEvent
	honest  bool // whether what etcd says of the progress of a watch is true
}

func newJoint(watches int, from int64, honest bool) *joint {
	j := &joint{at: make([]int64, watches), honest: honest}
	for i := range j.at {
		j.at[i] = from
	}
	return j
}

// waits reports whether there are events of a revision that not every watch has told.
func (j *joint) waits() bool { return len(j.pending) > 0 && j.created == len(j.at) }

// take takes an answer and returns what the machine has to hear.
func (j *joint) take(of int, resp clientv3.WatchResponse) (all []func(*machine, time.Time)) {
	at := positionOf(resp.Header)
	if resp.Created {
		if j.created++; j.created == 1 || at.behind(j.first) != nil {
			j.first = at // the lowest: if it is behind what is known, the machine says so
		}
		if j.created < len(j.at) {
			return nil
		}
		first := j.first
		all = append(all, func(m *machine, now time.Time) { m.onWatchCreated(now, first) })
	} else if len(resp.Events) == 0 {
		if at.rev < j.at[of] {
			return append(all, func(m *machine, now time.Time) { m.onWatchEvents(now, at, nil) }) // history went back
		}
		if j.honest {
			j.at[of] = at.rev
		}
	} else {
		// The header may be of a later revision, whose events come in the next answer.
		j.at[of] = max(j.at[of], resp.Events[len(resp.Events)-1].Kv.ModRevision)
		j.pending = append(j.pending, eventsOf(resp.Events)...)
		slices.SortStableFunc(j.pending, func(a, b watchEvent) int { return cmp.Compare(a.entry.ModRevision, b.entry.ModRevision) })
	}
	if j.created < len(j.at) {
		return all
	}
	upTo := slices.Min(j.at)
	n := 0
	for n < len(j.pending) && j.pending[n].entry.ModRevision <= upTo {
		n++
	}
	if n > 0 || resp.IsProgressNotify() {
		ready := j.pending[:n:n]
		j.pending = j.pending[n:]
		at.rev = upTo
		all = append(all, func(m *machine, now time.Time) { m.onWatchEvents(now, at, ready) })
	}
	return all
}
