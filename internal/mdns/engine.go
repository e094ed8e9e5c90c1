package mdns

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/record"
)

// Config says where an Engine works.
type Config struct {
	// Domain is that of all names, without a dot at the end.
	Domain string
	// Host is the name of this host, as SRV records have it.
	Host string
	// Open opens the transport, at the first use and again after it failed.
	Open func() (Transport, error)
	// Warn is told what somebody should know, and may call the Engine.
	Warn func(text string)
	// Absent replaces the constant of that name if it is not 0.
	Absent time.Duration
}

// Engine registers and finds nodes. Make it with New. It is safe for concurrent use.
type Engine struct {
	cfg    Config
	names  names
	ctx    context.Context // over when it is closed
	cancel context.CancelFunc
	wake   chan struct{} // holds a token when the agenda has a new first item
	loop   sync.WaitGroup

	opening sync.Mutex // held while the transport is opened, and by Close
	retry   time.Time  // when a transport that could not be opened is tried again
	failed  error      // why it could not

	sending sync.Mutex // held while packets leave; taken before mu

	mu        sync.Mutex
	transport Transport // nil until the first use
	closed    bool
	down      error // why no link works
	downSince time.Time
	agenda    agenda
	out       []outgoing
	warnings  []string // to be told
	bounds    bounds
	pace      bucket // of announcements, which wait
	asking    bucket // of questions, which wait
	answers   bucket // of answers, which are left out
	arrivals  bucket // what is read
	decoding  bucket // milliseconds of it
	echoes    *echoes
	counts    counts

	own      map[string]*published            // by the name of the record
	services map[string]map[string]*published // the same by service and id

	browsed map[string]*topic
	listing *topic                    // the names of all services; nil unless somebody asks
	listed  map[string]time.Time      // names of services, and until when
	entries int                       // nodes of others
	weight  int                       // what they take
	view    record.View               // all nodes known, own ones as well
	untidy  int                       // changes since tidy
	gone    map[record.ID]departure   // those that went a short while ago
	changed chan struct{}             // closed and replaced at every change
	watches map[*observation]struct{} // who is told of every change
}

// names are those that do not change.
type names struct{ listing, types, suffix string }

// namesIn returns the names in a domain, which txt.CheckDomain accepts.
func namesIn(domain string) names {
	// What cannot be made is asked by nobody: nothing is published there.
	listing, _ := txt.Listing(domain)
	types, _ := txt.Types(domain)
	return names{listing, types, "." + domain + "."}
}

// bounds of what is kept of others.
type bounds struct{ nodes, weight, browsed, listed int }

// outgoing is a packet that is to be sent.
type outgoing struct {
	send   func(Transport, []byte)
	packet []byte
}

// New returns an Engine. It does nothing before its first use.
func New(cfg Config) *Engine {
	e := &Engine{
		cfg:      cfg,
		names:    namesIn(cfg.Domain),
		wake:     make(chan struct{}, 1),
		bounds:   bounds{nodes: maxNodes, weight: maxWeight, browsed: maxBrowsed, listed: maxListed},
		pace:     bucket{perSecond: sendRate, burst: sendBurst},
		asking:   bucket{perSecond: sendRate, burst: sendBurst},
		answers:  bucket{perSecond: sendRate, burst: sendBurst},
		arrivals: bucket{perSecond: packetRate, burst: packetBurst},
		decoding: bucket{perSecond: decodeRate, burst: decodeBurst},
		echoes:   newEchoes(),
		own:      map[string]*published{},
		services: map[string]map[string]*published{},
		browsed:  map[string]*topic{},
		listed:   map[string]time.Time{},
		gone:     map[record.ID]departure{},
		changed:  make(chan struct{}),
		watches:  map[*observation]struct{}{},
	}
	if cfg.Absent == 0 {
		e.cfg.Absent = Absent
	}
	// Ended by Close.
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// run does what is due and reads what comes, until the engine is closed.
func (e *Engine) run(t Transport) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-timer.C:
		case <-e.wake:
		case p, ok := <-t.Packets():
			if !ok {
				return
			}
			e.step(func(now time.Time) { e.receive(p, now) })
		case err := <-t.Changes():
			e.step(func(now time.Time) { e.linksChanged(err, now) })
		}
		e.step(e.agenda.run)
		e.mu.Lock()
		wait := e.agenda.wait(time.Now())
		e.mu.Unlock()
		timer.Reset(wait)
	}
}

// step changes the state, and sends what comes of it.
func (e *Engine) step(change func(now time.Time)) {
	e.mu.Lock()
	change(time.Now())
	e.mu.Unlock()
	e.flush()
}

// nudge lets the loop look at the agenda.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// flush sends what is to be sent, in order, and tells what is to be told: a log may be
// slow, so no lock is held then.
func (e *Engine) flush() {
	for _, text := range e.send() {
		e.cfg.Warn(text)
	}
}

func (e *Engine) send() (warnings []string) {
	e.sending.Lock()
	defer e.sending.Unlock()
	e.mu.Lock()
	out, t, warnings := e.out, e.transport, e.warnings
	e.out, e.warnings = nil, nil
	e.mu.Unlock()
	for _, o := range out {
		o.send(t, o.packet)
	}
	return warnings
}

// warn tells text soon. The caller holds mu.
func (e *Engine) warn(text string) { e.warnings = append(e.warnings, text) }

// announce multicasts an answer. The caller holds mu.
func (e *Engine) announce(packet []byte, now time.Time) {
	e.echoes.sent(packet, now)
	e.counts.sent++
	e.out = append(e.out, outgoing{Transport.Announce, packet})
}

// ask multicasts a question. The caller holds mu.
func (e *Engine) ask(name string, t dnsmessage.Type, knowns []known) {
	packet, err := query(uint16(rand.Uint32()), name, t, knowns)
	if err != nil {
		return // names are checked before they come here
	}
	e.counts.queries++
	e.out = append(e.out, outgoing{Transport.Ask, packet})
}

// tell lets followers look. The caller holds mu.
func (e *Engine) tell() {
	close(e.changed)
	e.changed = make(chan struct{})
}
