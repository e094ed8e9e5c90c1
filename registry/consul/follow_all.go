package consul

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
)

const (
	// sweepAfter is how soon all services are read once something changed and it is not
	// told what: mostly the other query tells it in the meantime. Between two such
	// sweeps passes sweepRest times what the last one took.
	sweepAfter = 50 * time.Millisecond
	sweepRest  = 10
)

// Following all services takes two blocking queries, however many services there are:
// one for their names and tags, one for the states of all checks. What changed in
// either tells which services are to be read. A change of neither, as of an address
// alone, is found by reading all.

// sums are sums over what is known of each service.
type sums map[string]uint64

// news is an answer to one of the two queries.
type news struct {
	services bool // of the names and tags
	sums     sums
	about    consul.Answer
	err      error
	moved    bool // the index is another
	wentBack bool // it is a smaller one
}

// all follows all services over l until something fails or ctx is done.
func (f *follower) all(ctx context.Context, l *link) (answered bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan news)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	asking.Go(func() { f.b.ask(ctx, true, answers, l.services) })
	asking.Go(func() { f.b.ask(ctx, false, answers, l.states) })

	var names, states sums
	dirty := map[string]bool{}
	var rested time.Time // from when on all may be read again
	sweep := time.NewTimer(time.Hour)
	defer sweep.Stop()
	everything := func() {
		for name := range names {
			dirty[name] = true
		}
		for _, name := range f.known.names() {
			dirty[name] = true
		}
	}
	pace := pacer{tokens: burst, at: time.Now()}
	var revision uint64 // the later index of the two queries
	for {
		leaderless, began := false, time.Time{}
		select {
		case n := <-answers:
			if n.err != nil {
				return answered, n.err
			}
			leaderless, revision = n.about.Leaderless, max(revision, n.about.Index)
			if n.wentBack {
				f.lost, revision = true, n.about.Index
			}
			before := states
			if n.services {
				before, names = names, n.sums
			} else {
				states = n.sums
			}
			if names == nil || states == nil {
				continue
			}
			if !answered {
				everything()
				break
			}
			changed := differing(before, n.sums)
			switch {
			case n.wentBack, slices.Contains(changed, ""): // a check of an agent concerns all its services
				everything()
			case len(changed) == 0 && n.services && n.moved:
				sweep.Reset(max(sweepAfter, time.Until(rested)))
			}
			for _, name := range changed {
				if _, there := names[name]; there || f.known[name] != nil {
					dirty[name] = true
				}
			}
		case <-sweep.C:
			began = time.Now()
			everything()
		case <-ctx.Done():
			return answered, ctx.Err()
		}
		if err := f.readAll(ctx, l, dirty, revision, !answered); err != nil {
			return answered, err
		}
		if !began.IsZero() {
			rested = time.Now().Add(sweepRest * time.Since(began))
		}
		answered = true
		f.up(leaderless)
		if !pace.wait(ctx) {
			return answered, ctx.Err()
		}
	}
}

// readAll reads the services that are dirty and tells the observer what came of it.
// They are read from the leader: another server may not have what was heard of.
func (f *follower) readAll(ctx context.Context, l *link, dirty map[string]bool, index uint64, first bool) error {
	names := slices.Sorted(maps.Keys(dirty))
	clear(dirty)
	answers := make([][]consul.Entry, len(names))
	places := make(map[string]int, len(names))
	for i, name := range names {
		places[name] = i
	}
	err := each(names, func(name string) (err error) {
		if name == itself || unfit(name) != "" {
			return nil
		}
		answers[places[name]], _, err = l.client.Service(ctx, name, consul.Query{Connect: l.connect})
		if consul.Forbidden(err) && f.known[name] == nil { // its nodes are not to be seen, others may be
			return nil
		}
		return err
	})
	if err != nil {
		for _, name := range names {
			dirty[name] = true
		}
		return err
	}
	var steps []step
	for i, name := range names {
		d := decoder{before: f.known[name]}
		rows := d.rows(name, answers[i])
		f.b.skipped.Add(d.skipped)
		steps = append(steps, f.known.replace(name, rows)...)
	}
	slices.SortStableFunc(steps, comesFirst)
	if len(steps) > 0 || first {
		f.tell(steps, index)
	}
	return nil
}

// ask asks one of the two queries again and again and hands its answers over, until
// ctx is done or after an error.
func (b *backend) ask(ctx context.Context, services bool, answers chan<- news, query func(context.Context, consul.Query) (sums, consul.Answer, error)) {
	pace := pacer{tokens: burst, at: time.Now()}
	var index uint64
	for {
		q := consul.Query{}
		done, ok := b.block(ctx, index, &q)
		if !ok {
			return
		}
		n := news{services: services}
		n.sums, n.about, n.err = query(ctx, q)
		done()
		n.moved, n.wentBack = n.about.Index != index, n.err == nil && n.about.Index < index
		select {
		case answers <- n:
		case <-ctx.Done():
			return
		}
		if n.err != nil || !pace.wait(ctx) {
			return
		}
		index = n.about.Index
	}
}

// services asks for the tags of all services.
func (l *link) services(ctx context.Context, q consul.Query) (sums, consul.Answer, error) {
	services, about, err := l.client.Services(ctx, q)
	all := sums{}
	for name, tags := range services {
		slices.Sort(tags)
		all[name] = maphash.Comparable(seed, len(tags))
		for _, tag := range tags {
			all[name] = maphash.Comparable(seed, [2]uint64{all[name], maphash.String(seed, tag)})
		}
	}
	return all, about, err
}

// states asks for the states of all checks. Those of agents stand under "".
func (l *link) states(ctx context.Context, q consul.Query) (sums, consul.Answer, error) {
	states, about, err := l.client.States(ctx, q)
	all := sums{}
	for _, s := range states {
		all[s.ServiceName] += maphash.Comparable(seed, s) // in no order
	}
	return all, about, err
}

// differing returns the names that have another sum in b than in a.
func differing(a, b sums) []string {
	var names []string
	for name, sum := range b {
		if before, ok := a[name]; !ok || before != sum {
			names = append(names, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}
