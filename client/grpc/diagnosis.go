package grpc

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/nearby"
	"github.com/rollcall-go/micro/registry"
)

const (
	// hintWait is how long an error waits for what the registry has to say on it.
	hintWait = 30 * time.Millisecond
	// hintFresh is how long that is not asked again.
	hintFresh = 2 * time.Second
	// hintTimeout bounds a question.
	hintTimeout = time.Second
	// hintMost is how many services are remembered: names may come from outside.
	hintMost = 100
)

// diagnosis asks the registry why a service has no node: which names there are, once
// for all errors, and who of the service is paused. It is used on the way to an
// error alone, and asks once in a while, however many errors there are.
type diagnosis struct {
	registry registry.Registry
	etcdAt   string // where an etcd of this host would be
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.Mutex
	closed bool
	names  *hint            // nil before the first question
	etcd   *hint            // where one answers on this host; nil unless mDNS is asked
	paused map[string]*hint // by service; those that are fresh
	wg     sync.WaitGroup
}

// hint is an answer that may be on its way; texts may be read once done is closed.
type hint struct {
	at    time.Time
	done  chan struct{}
	texts []string
}

func newDiagnosis(r registry.Registry) *diagnosis {
	h := &diagnosis{registry: r, etcdAt: nearby.EtcdAddress, paused: map[string]*hint{}}
	// Ended by close.
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// about returns the names of all services, and the paused nodes of the given one,
// as far as the registry says so in time, and where else one may look.
func (h *diagnosis) about(ctx context.Context, service string) (names, paused []string, elsewhere string) {
	timer := time.NewTimer(hintWait)
	defer timer.Stop()
	all, of, etcd := h.ask(service)
	for _, a := range []*hint{all, of, etcd} {
		if a == nil {
			continue
		}
		select {
		case <-a.done:
		case <-timer.C:
			timer.Reset(0) // for the next one, which may be there
		case <-ctx.Done():
			return nil, nil, ""
		}
	}
	return all.read(), of.read(), strings.Join(etcd.read(), "")
}

// read returns the answer, nothing if it is not there.
func (a *hint) read() []string {
	if a == nil {
		return nil
	}
	select {
	case <-a.done:
		return a.texts
	default:
		return nil
	}
}

// ask returns the names of all services, who of the given one is paused, and what to
// say of an etcd on this host. Each may be on its way; it is nil if there will be none.
func (h *diagnosis) ask(service string) (names, paused, etcd *hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.names.fresh() && !h.closed {
		h.names = h.begin(h.listed)
	}
	if p, ok := ability.As[ability.Pauser](h.registry); ok && !h.paused[service].fresh() && !h.closed {
		if len(h.paused) >= hintMost {
			h.forget()
		}
		h.paused[service] = h.begin(func(ctx context.Context) ([]string, error) { return p.Paused(ctx, service) })
	}
	switch {
	case h.registry.String() != "mdns":
		h.etcd = nil // another one was chosen
	case !h.etcd.fresh() && !h.closed:
		h.etcd = h.begin(func(ctx context.Context) ([]string, error) {
			if !nearby.Etcd(ctx, h.etcdAt) {
				return nil, nil
			}
			return []string{nearby.Hint(h.etcdAt)}, nil
		})
	}
	return h.names, h.paused[service], h.etcd
}

func (a *hint) fresh() bool { return a != nil && time.Since(a.at) < hintFresh }

// forget drops the answers that are not fresh any more and, if all are, the oldest.
// The caller holds mu.
func (h *diagnosis) forget() {
	oldest := ""
	for service, a := range h.paused {
		if !a.fresh() {
			delete(h.paused, service)
		} else if oldest == "" || a.at.Before(h.paused[oldest].at) {
			oldest = service
		}
	}
	if len(h.paused) >= hintMost {
		delete(h.paused, oldest)
	}
}

// begin asks beside the caller, who holds mu. Without an answer there is no hint.
func (h *diagnosis) begin(question func(context.Context) ([]string, error)) *hint {
	a := &hint{at: time.Now(), done: make(chan struct{})}
	h.wg.Go(func() {
		defer close(a.done)
		ctx, cancel := context.WithTimeout(h.ctx, hintTimeout)
		defer cancel()
		if texts, err := question(ctx); err == nil {
			a.texts = texts
		}
	})
	return a
}

// listed returns the names of all services.
func (h *diagnosis) listed(ctx context.Context) ([]string, error) {
	if l, ok := ability.As[ability.NameLister](h.registry); ok {
		return l.Names(ctx)
	}
	services, err := h.registry.ListServices(registry.ListContext(ctx))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// close ends the questions under way and waits for them.
func (h *diagnosis) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.wg.Wait()
}
