package bridge

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// op is a write to be carried out in the registry that is written.
type op struct {
	remove bool
	record *registry.Service
}

// machine decides what is to be written. It does no I/O: it is told what was seen,
// what came of its writes and what the time is, and next says what to write.
//
// What is wanted are the records of from, marked; what was written is in held; what
// came of it is seen in to. Each turn compares the three. It is not safe for
// concurrent use.
type machine struct {
	names    []string // followed on both sides
	services []string // patterns
	resolver feed.Resolver
	from, to *view
	// renew is the time between two writes of a record, zero where the registry renews
	// by itself.
	renew time.Duration
	// heals says that the registry puts a record back that vanished, and settles by
	// itself who owns one.
	heals, renews bool

	held   map[record.ID]*holding
	doubts map[record.ID]*doubt // nodes that left and are still mirrored
	losses []loss
	shown  map[record.ID]shown // what was told of a node
	busy   int                 // writes under way
	ready  bool                // was told
	wake   time.Time           // when to call next again at the latest, zero for never
	events []Event
	retry  backoff.Backoff
}

// holding is a record that was written, or is to be.
type holding struct {
	record   *registry.Service // as last written
	busy     bool              // a write is under way
	placed   bool              // the last write was accepted
	wrote    bool              // a write may have taken effect
	seen     bool              // it was there since
	failures int               // in a row
	retryAt  time.Time
	renewAt  time.Time
}

// shown is what was last told of a node.
type shown struct {
	record *registry.Service
	aside  bool
}

func newMachine(cfg Config) *machine {
	names := followed(cfg.Services)
	m := &machine{
		names: names, services: cfg.Services,
		from: newView(Read, cfg.From.Name, names), to: newView(Written, cfg.To.Name, names),
		heals: ability.Yields(cfg.To.Registry), renews: ability.Renews(cfg.To.Registry),
		held: make(map[record.ID]*holding), doubts: make(map[record.ID]*doubt), shown: make(map[record.ID]shown),
		retry: backoff.Backoff{Base: 200 * time.Millisecond, Max: 5 * time.Second},
	}
	m.resolver, _ = feed.Of(cfg.From.Registry).(feed.Resolver)
	if !m.renews {
		m.renew = cfg.TTL / 3
	}
	return m
}

// update takes in a view of one side.
func (m *machine) update(now time.Time, v *view, name string, u feed.Update) {
	if v == m.to {
		v.take(name, u.Services, m.look, shallow)
		m.missed()
		return
	}
	v.take(name, u.Services, m.want, func(a, b *registry.Service) bool { return reflect.DeepEqual(a, b) })
	m.depart(now, u)
}

// look passes everything: that a node is there is what counts.
func (m *machine) look(one *registry.Service) *registry.Service { return one }

func shallow(a, b *registry.Service) bool { return a.Nodes[0] == b.Nodes[0] && a.Version == b.Version }

// want returns the record as it is to be mirrored, nil if it is not.
func (m *machine) want(one *registry.Service) *registry.Service {
	if !wants(m.services, one.Name) {
		return nil
	}
	return marked(one, m.from.name, m.to.name)
}

// missed notes which of the records that were there are gone.
func (m *machine) missed() {
	for id, h := range m.held {
		there := m.to.records[id] != nil
		if h.seen && !there && !m.heals {
			h.placed = false
		}
		h.seen = there
	}
}

// status takes in how well a side is connected.
func (m *machine) status(now time.Time, v *view, name string, s feed.Status) {
	before := v.live()
	e, changed := v.status(now, name, s)
	if v == m.from && !before && v.live() {
		m.renewed(now)
	}
	if !changed {
		return
	}
	m.events = append(m.events, e)
	if v == m.to && e.Kind == Back {
		for _, h := range m.held {
			h.retryAt, h.renewAt = time.Time{}, time.Time{}
		}
	}
}

// next returns what is to be written now, and sets wake. While one side is not known,
// or the registry that is written is away, that is nothing: a record there might be
// its service's own.
func (m *machine) next(now time.Time) []op {
	m.wake = time.Time{}
	if !m.from.complete() || !m.to.complete() {
		return nil
	}
	m.believe(now)
	var ops []op
	if m.to.live() {
		for id, want := range m.from.records {
			ops = m.place(now, ops, id, want)
		}
		for id, d := range m.doubts {
			ops = m.place(now, ops, id, d.record)
		}
		for id, h := range m.held {
			if m.from.records[id] == nil && m.doubts[id] == nil {
				ops = m.remove(now, ops, id, h)
			}
		}
	}
	slices.SortFunc(ops, func(a, b op) int {
		return cmp.Or(strings.Compare(a.record.Name, b.record.Name), strings.Compare(a.record.Nodes[0].Id, b.record.Nodes[0].Id))
	})
	m.report(now)
	return ops
}

// place adds the write of a record to ops, if there is one to make.
func (m *machine) place(now time.Time, ops []op, id record.ID, want *registry.Service) []op {
	h := m.held[id]
	switch {
	case h != nil && h.busy:
		return ops
	case !m.heals && m.taken(id, want):
		if h == nil {
			return ops
		}
		return m.remove(now, ops, id, h)
	case h == nil:
		h = &holding{}
	case now.Before(h.retryAt):
		m.sooner(h.retryAt)
		return ops
	case h.placed && h.record == want && (m.renew == 0 || now.Before(h.renewAt)):
		if m.renew > 0 {
			m.sooner(h.renewAt)
		}
		return ops
	}
	if m.busy >= writesAtOnce {
		return ops // the end of one brings the next
	}
	m.held[id] = h
	h.record, h.wrote = want, true
	return m.send(ops, h, op{record: want})
}

// taken reports whether another record of the node goes before ours: its service's
// own, or that of a bridge whose mark comes first.
func (m *machine) taken(id record.ID, want *registry.Service) bool {
	there := m.to.records[id]
	return there != nil && there.Nodes[0].Metadata[Mark] < want.Nodes[0].Metadata[Mark]
}

// remove adds the removal of a record to ops, if that is to be made and can be.
func (m *machine) remove(now time.Time, ops []op, id record.ID, h *holding) []op {
	switch {
	case h.busy:
	case !h.wrote, !m.heals && !m.renews && m.taken(id, h.record):
		delete(m.held, id) // it is another's by now
	case now.Before(h.retryAt):
		m.sooner(h.retryAt)
	case m.busy < writesAtOnce:
		return m.send(ops, h, op{remove: true, record: h.record})
	}
	return ops
}

func (m *machine) send(ops []op, h *holding, o op) []op {
	h.busy = true
	m.busy++
	return append(ops, o)
}

// done takes in what came of a write.
func (m *machine) done(now time.Time, o op, err error) {
	id := idOf(o.record)
	h := m.held[id]
	h.busy = false
	m.busy--
	switch {
	case err != nil:
		h.placed = false
		h.retryAt = now.Add(m.retry.Ceiling(h.failures)/2 + m.retry.Next(h.failures)/2)
		if h.failures++; h.failures == 1 {
			m.events = append(m.events, about(now, Failed, o.record, err.Error()))
		}
	case o.remove:
		delete(m.held, id)
	default:
		h.placed, h.failures, h.retryAt, h.renewAt = true, 0, time.Time{}, now.Add(m.renew)
		h.seen = m.to.records[id] != nil
	}
}

// leftovers returns the removal of everything that may be there because of us.
func (m *machine) leftovers() []op {
	var ops []op
	for id, h := range m.held {
		if h.wrote && (m.heals || m.renews || !m.taken(id, h.record)) {
			ops = append(ops, op{remove: true, record: h.record})
		}
	}
	return ops
}

// sooner sets wake to t, if that is earlier.
func (m *machine) sooner(t time.Time) {
	if m.wake.IsZero() || t.Before(m.wake) {
		m.wake = t
	}
}
