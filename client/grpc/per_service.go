package grpc

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/budget"
	"github.com/rollcall-go/micro/internal/percentile"
)

// perService is what a client knows of the calls to one service, whatever becomes of its
// nodes.
type perService struct {
	budget   *budget.Budget
	answered percentile.Estimator // how long answers take; only where calls are hedged by it
}

// perServices are those of one client, by name. They outlive its options.
type perServices struct {
	percent atomic.Int64 // of all budgets

	mu  sync.Mutex // guards all
	all map[string]*perService
}

// mostServices bounds how many are kept: names may come from outside.
const mostServices = 10_000

// of returns what is known of a service.
func (p *perServices) of(name string) *perService {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.all[name]; one != nil {
		return one
	}
	if p.all == nil || len(p.all) >= mostServices {
		p.all = map[string]*perService{}
	}
	one := &perService{budget: budget.New(&p.percent, time.Now())}
	p.all[name] = one
	return one
}
