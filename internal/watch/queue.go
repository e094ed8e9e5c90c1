// Package watch holds what a Watcher has yet to deliver.
package watch

import (
	"container/list"
	"sync"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Limit is how many events a queue holds one by one.
const Limit = 10_000

// Queue is the registry.Watcher of a backend: Push puts events in without ever
// waiting for the reader, Next takes them out in order. Up to Limit events wait
// one by one. Beyond that, what waits is replaced by the net difference, one
// event a node, until the reader has caught up: a slow reader misses steps on
// the way, never where they led. It is safe for concurrent use.
type Queue struct {
	limit int
	ended func()        // called once, by the first Stop
	ready chan struct{} // holds a token when there may be something to take
	done  chan struct{} // closed by Stop

	mu     sync.Mutex
	events *list.List                  // of *registry.Result, in order
	places map[record.ID]*list.Element // each node's one event; nil while all are kept
	closed bool
}

var _ registry.Watcher = (*Queue)(nil)

// NewQueue returns an empty queue. The first Stop calls ended, unless it is nil,
// after Next has been released.
func NewQueue(ended func()) *Queue {
	return newQueue(Limit, ended)
}

func newQueue(limit int, ended func()) *Queue {
	return &Queue{
		limit:  limit,
		ended:  ended,
		ready:  make(chan struct{}, 1),
		done:   make(chan struct{}),
		events: list.New(),
	}
}

// Push adds an event about exactly one node. The queue keeps e: nobody changes
// it from then on. After Stop it does nothing.
func (q *Queue) Push(e *registry.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.places == nil && q.events.Len() >= q.limit {
		q.condense()
	}
	if q.places == nil {
		q.events.PushBack(e)
	} else {
		q.merge(e)
	}
	q.wake()
}

// wake leaves a token for a reader. The caller holds mu.
func (q *Queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// condense replaces the waiting events by their net difference.
func (q *Queue) condense() {
	waiting := q.events
	q.events, q.places = list.New(), make(map[record.ID]*list.Element)
	for el := waiting.Front(); el != nil; el = el.Next() {
		q.merge(el.Value.(*registry.Result))
	}
}

// merge joins e with the one event that waits for its node, if there is one.
func (q *Queue) merge(e *registry.Result) {
	id := about(e)
	waiting, ok := q.places[id]
	if !ok {
		q.places[id] = q.events.PushBack(e)
		return
	}
	// The event that waited first tells whether the reader knows the node: it is
	// a create exactly if the reader does not.
	unknown := waiting.Value.(*registry.Result).Action == registry.Create.String()
	gone := e.Action == registry.Delete.String()
	switch {
	case unknown && gone:
		q.events.Remove(waiting)
		delete(q.places, id)
	case unknown:
		waiting.Value = &registry.Result{Action: registry.Create.String(), Service: e.Service}
	case gone:
		waiting.Value = e
	default:
		waiting.Value = &registry.Result{Action: registry.Update.String(), Service: e.Service}
	}
}

func about(e *registry.Result) record.ID {
	return record.ID{Service: e.Service.Name, Node: e.Service.Nodes[0].Id}
}

// Next returns the next event, a copy that belongs to the caller. It blocks
// until there is one or the queue is stopped.
func (q *Queue) Next() (*registry.Result, error) {
	for {
		e, err := q.take()
		if err != nil {
			return nil, err
		}
		if e != nil {
			return &registry.Result{Action: e.Action, Service: record.CopyService(e.Service)}, nil
		}
		select {
		case <-q.ready:
		case <-q.done:
		}
	}
}

// take removes and returns the first event, nil if none waits.
func (q *Queue) take() (*registry.Result, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, registry.ErrWatcherStopped
	}
	front := q.events.Front()
	if front == nil {
		return nil, nil
	}
	e := q.events.Remove(front).(*registry.Result)
	delete(q.places, about(e))
	if q.events.Len() == 0 {
		q.places = nil
	} else {
		q.wake() // one token may have stood for several events
	}
	return e, nil
}

// Stop releases Next, which returns registry.ErrWatcherStopped from then on, and
// drops what waits. It may be called more than once.
func (q *Queue) Stop() {
	q.mu.Lock()
	first := !q.closed
	q.closed = true
	if first {
		q.events, q.places = nil, nil
		close(q.done)
	}
	q.mu.Unlock()
	if first && q.ended != nil {
		q.ended()
	}
}
