package grpc

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
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

// hints asks the registry why a service has no node. It is used on the way to an
// error alone, and asks once in a while, however many errors there are.
type hints struct {
	registry registry.Registry
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.Mutex
	closed bool
	asked  map[string]*hint // by service
	wg     sync.WaitGroup
}

// hint is the answer about one service; names and paused may be read once done is
// closed.
type hint struct {
	at            time.Time
	done          chan struct{}
	names, paused []string
}

func newHints(r registry.Registry) *hints {
	h := &hints{registry: r, asked: map[string]*hint{}}
	// Ended by close.
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// about returns the names of all services, and the paused nodes of the given one,
// as far as the registry says so in time.
func (h *hints) about(ctx context.Context, service string) (names, paused []string) {
	a := h.ask(service)
	if a == nil {
		return nil, nil
	}
	timer := time.NewTimer(hintWait)
	defer timer.Stop()
	select {
	case <-a.done:
		return a.names, a.paused
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, nil
}

// ask returns the hint about the service, which may be on its way; nil if there
// will be none.
func (h *hints) ask(service string) *hint {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.asked[service]; a != nil && time.Since(a.at) < hintFresh {
		return a
	}
	if h.closed {
		return nil
	}
	if len(h.asked) >= hintMost {
		clear(h.asked)
	}
	a := &hint{at: time.Now(), done: make(chan struct{})}
	h.asked[service] = a
	h.wg.Go(func() {
		defer close(a.done)
		ctx, cancel := context.WithTimeout(h.ctx, hintTimeout)
		defer cancel()
		a.names, a.paused = h.listed(ctx), h.pausedOf(ctx, service)
	})
	return a
}

// listed returns the names of all services. Without an answer there is no hint.
func (h *hints) listed(ctx context.Context) []string {
	services, err := h.registry.ListServices(registry.ListContext(ctx))
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range services {
		if len(names) == 0 || names[len(names)-1] != s.Name {
			names = append(names, s.Name)
		}
	}
	return names
}

func (h *hints) pausedOf(ctx context.Context, service string) []string {
	p, ok := ability.As[ability.Pauser](h.registry)
	if !ok {
		return nil
	}
	nodes, err := p.Paused(ctx, service)
	if err != nil {
		return nil
	}
	return nodes
}

// close ends the questions under way and waits for them.
func (h *hints) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.wg.Wait()
}
