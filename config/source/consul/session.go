package consul

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/logger"
)

// hold is about how long an agent holds an answer back while nothing changes. An agent
// that hangs is noticed a few seconds later.
const hold = 10 * time.Second

// again says when Consul is asked again after a failure.
var again = backoff.Backoff{Base: 100 * time.Millisecond, Max: time.Second}

// session follows the keys of one source by blocking queries. It has one goroutine,
// until End.
type session struct {
	client  *consul.Client
	keys    keytree.Keys
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	board *keytree.Board
	// The board guards what follows.
	known  bool
	index  uint64 // of the newest answer that was taken
	taken  uint64 // how many answers were
	status source.Status
}

var _ keytree.Session = (*session)(nil)

func newSession(client *consul.Client, keys keytree.Keys, decoder encoder.Encoder) *session {
	f := &session{client: client, keys: keys, board: keytree.NewBoard("consul", keys, decoder)}
	// The life of the session, ended by End.
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.running.Go(f.follow)
	return f
}

// End ends the session and waits for it.
func (f *session) End() {
	f.cancel()
	f.running.Wait()
	f.client.Close()
}

func (f *session) follow() {
	var index uint64
	for failed := 0; f.ctx.Err() == nil; {
		answered, err := f.read(f.ctx, index)
		if f.ctx.Err() != nil {
			return
		}
		if f.linked(err); err == nil {
			if failed = 0; answered < index {
				answered = 0 // Consul was restored or lost its data: ask for all at once
			}
			index = answered
			continue
		}
		index = 0
		timer := time.NewTimer(again.Ceiling(failed)/2 + again.Next(failed)/2)
		select {
		case <-f.ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		failed++
	}
}

// read asks for the keys, with an index once they have another one, and takes them. It
// returns the index of the answer.
func (f *session) read(ctx context.Context, index uint64) (uint64, error) {
	var taken uint64
	f.board.Look(func(*keytree.View) { taken = f.taken })
	pairs, about, err := f.client.Pairs(ctx, f.keys.All(), consul.Query{Index: index, Wait: hold})
	if err != nil {
		return 0, err
	}
	f.take(pairs, about.Index, taken)
	return about.Index, nil
}

// take makes the pairs of an answer the configuration. before is how many answers had
// been taken when it was asked for. One with a lower index than the newest is older if
// that came meanwhile; otherwise Consul was restored or lost its data, and everything in
// it counts.
func (f *session) take(pairs []consul.Pair, index, before uint64) {
	var refused []source.Refused
	f.board.Change(func(v *keytree.View) (changed bool) {
		lower := index < f.index
		if lower && f.taken != before {
			return false
		}
		changed = !f.known
		f.known, f.index = true, index
		f.taken++
		there := make(map[string]bool, len(pairs))
		for _, p := range pairs {
			if folder(p) || !f.keys.Has(p.Key) {
				continue
			}
			there[p.Key] = true
			revision := int64(p.ModifyIndex)
			if v.Revision(p.Key) == revision && !lower {
				continue
			}
			changed = true
			if err := v.Put(p.Key, p.Value, revision); err != nil {
				refused = append(refused, source.Refused{Key: p.Key, Revision: revision, Err: err})
			}
		}
		return v.KeepOnly(func(key string) bool { return there[key] }) || changed
	})
	for _, r := range refused {
		logger.Warnf("Config [consul] A value cannot be read and does not count; the last one of its key that could stays: key %q, index %d: %v", r.Key, r.Revision, r.Err)
	}
}

// folder reports whether a key is what Consul's web page makes for a folder.
func folder(p consul.Pair) bool { return len(p.Value) == 0 && strings.HasSuffix(p.Key, "/") }

// linked takes whether Consul answers.
func (f *session) linked(err error) {
	var before source.Status
	f.board.Look(func(*keytree.View) {
		before = f.status
		f.status.Live, f.status.Err = err == nil, err
		if err == nil {
			f.status.Confirmed = time.Now()
		}
	})
	switch {
	case before.Live && err != nil:
		logger.Warnf("Config [consul] Consul cannot be followed; the configuration stays as it was: %v", err)
	case before.Err != nil && err == nil:
		logger.Infof("Config [consul] Consul is followed again")
	}
}

// Board implements keytree.Session.
func (f *session) Board() *keytree.Board { return f.board }

// Status implements keytree.Session.
func (f *session) Status() (s source.Status) {
	f.board.Look(func(v *keytree.View) {
		s = f.status
		s.Refused = v.Refused()
	})
	return s
}
