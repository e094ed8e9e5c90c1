// Package ending says once that something is over, and why, to everybody who asked.
package ending

import "sync"

// Ending is of something that goes on until End. Its methods may be called by several
// goroutines at once. Make it with New.
type Ending struct {
	done chan struct{}

	mu   sync.Mutex
	err  error
	told []func()
}

// New returns the ending of something that goes on.
func New() *Ending { return &Ending{done: make(chan struct{})} }

// End ends it, and reports false if it was over before. err says why; it must not be nil.
func (e *Ending) End(err error) bool {
	e.mu.Lock()
	if e.err != nil {
		e.mu.Unlock()
		return false
	}
	e.err = err
	close(e.done)
	told := e.told
	e.told = nil
	e.mu.Unlock()
	for _, f := range told {
		f()
	}
	return true
}

// Err returns why it is over, nil while it goes on.
func (e *Ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Done is closed when it is over.
func (e *Ending) Done() <-chan struct{} { return e.done }

// Then calls f when it is over, at once if it is. f must not block.
func (e *Ending) Then(f func()) {
	e.mu.Lock()
	over := e.err != nil
	if !over {
		e.told = append(e.told, f)
	}
	e.mu.Unlock()
	if over {
		f()
	}
}

// Status returns a channel that gets true and is closed when it is over.
func (e *Ending) Status() chan bool {
	status := make(chan bool, 1)
	e.Then(func() {
		status <- true
		close(status)
	})
	return status
}
