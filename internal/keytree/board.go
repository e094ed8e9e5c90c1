package keytree

import (
	"sync"
	"time"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/source"
)

// Board shows the newest state of a View to whoever waits for it. Its methods may be
// called by several goroutines at once.
type Board struct {
	source string

	mu      sync.Mutex
	view    *View
	state   uint64        // grows with each change
	changed chan struct{} // closed with the next change
	set     *source.ChangeSet
	setOf   uint64 // the state of set

	inForce   string // what the view's Checksum returned
	inForceOf uint64 // the state of inForce
}

// NewBoard returns the board of a source of that kind.
func NewBoard(kind string, k Keys, decoder encoder.Encoder) *Board {
	return &Board{source: kind, view: NewView(k, decoder), changed: make(chan struct{})}
}

// Change calls f, which may change the view and what else its caller guards by the
// board, and reports whether it changed the view. Then who waits is woken.
func (b *Board) Change(f func(*View) (changed bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !f(b.view) {
		return
	}
	b.state++
	close(b.changed)
	b.changed = make(chan struct{})
}

// Look calls f, which may look at the view and change what else its caller guards by
// the board. It returns a channel that is closed with the next change.
func (b *Board) Look(f func(*View)) (changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b.view)
	return b.changed
}

// State returns the number of the present state and a channel that is closed with the
// next one.
func (b *Board) State() (uint64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.changed
}

// ChangeSet returns the configuration as JSON.
func (b *Board) ChangeSet() (*source.ChangeSet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changeSet()
}

// LookIfSum is Look if the configuration has that checksum, and tells that of the values in
// force as well. It reports whether it has.
func (b *Board) LookIfSum(checksum string, f func(v *View, inForce string)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	set, err := b.changeSet()
	if err != nil || set.Checksum != checksum {
		return false
	}
	if b.inForce == "" || b.inForceOf != b.state {
		b.inForce, b.inForceOf = b.view.Checksum(), b.state
	}
	f(b.view, b.inForce)
	return true
}

// changeSet is ChangeSet. b.mu is held.
func (b *Board) changeSet() (*source.ChangeSet, error) {
	if b.set == nil || b.setOf != b.state {
		text, err := b.view.Text()
		if err != nil {
			return nil, err
		}
		b.set = &source.ChangeSet{Data: text, Format: "json", Source: b.source, Timestamp: time.Now()}
		b.set.Checksum = b.set.Sum()
		b.setOf = b.state
	}
	set := *b.set
	return &set, nil
}
