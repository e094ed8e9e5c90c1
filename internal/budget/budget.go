// Package budget bounds how many of the calls to a service are made twice.
//
// A client that tries failed calls again multiplies the load of a service that fails
// under load, and does so once more in each layer of services. A [Budget] lets a part of
// the calls be made twice and no more.
package budget

import (
	"sync/atomic"
	"time"
)

const (
	// first is how many attempts a budget allows before it has seen a call.
	first = 10
	// most is how many attempts a budget can hold.
	most = 100
	// always is the time after which one more attempt is allowed, whatever was used: a
	// service that is called now and then needs that.
	always = time.Second
	// price is what an attempt costs. A call pays in as many as there are percents.
	price = 100
)

// Budget is that of one service. Its methods are safe for concurrent use, take no lock
// and allocate nothing; those of a nil Budget allow everything.
type Budget struct {
	percent *atomic.Int64
	saved   atomic.Int64
	last    atomic.Int64 // when an attempt was allowed, after began
	began   time.Time
}

// New returns a budget. The percentage may be changed while it is in use; below zero,
// everything is allowed, and with zero nothing.
func New(percent *atomic.Int64, now time.Time) *Budget {
	b := &Budget{percent: percent, began: now}
	b.saved.Store(first * price)
	return b
}

// Call counts a call, but for the attempts beyond its first.
func (b *Budget) Call() {
	// Most of the time the budget is full: nothing is written that other processors read.
	if b != nil && b.saved.Load() < most*price {
		b.saved.Add(max(0, b.percent.Load()))
	}
}

// Take reports whether one more attempt is allowed, and counts it if so.
func (b *Budget) Take(now time.Time) bool {
	if b == nil {
		return true
	}
	switch percent := b.percent.Load(); {
	case percent < 0:
		return true
	case percent == 0:
		return false
	}
	since := int64(now.Sub(b.began))
	for {
		saved := b.saved.Load()
		if saved < price {
			break
		}
		if b.saved.CompareAndSwap(saved, saved-price) {
			b.last.Store(since)
			return true
		}
	}
	last := b.last.Load()
	return since-last >= int64(always) && b.last.CompareAndSwap(last, since)
}
