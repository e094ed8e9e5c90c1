package config

import (
	"sync"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/source"
)

// parts are what Bind made of a Config, each a part of the program with a judgement of its
// own on what is in force.
type parts struct {
	mu  sync.Mutex
	all map[*part]struct{}
}

// part is one of them.
type part struct {
	path    []string
	watcher following
	err     func() error // why it does not take its value
}

// following is what the Watcher of this house tells of its reader.
type following interface {
	Behind() bool
	OnCaughtUp(f func())
}

// judging is a Loader that waits for the parts before it says that something is in force.
type judging interface {
	Judge(func() (refused []source.RefusedPart, done bool))
	Confirm()
}

func (p *parts) add(one *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[*part]struct{})
	}
	p.all[one] = struct{}{}
}

func (p *parts) remove(one *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, one)
}

// judge returns which parts refuse what is in force, and whether each has looked at it.
func (p *parts) judge() (refused []source.RefusedPart, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.all {
		if one.watcher.Behind() {
			return nil, false
		}
		if err := one.err(); err != nil {
			refused = append(refused, source.RefusedPart{Path: one.path, Err: err})
		}
	}
	return refused, true
}

// join makes the Loader wait for the part of the program that reads w, until leave is
// called. With another's Config or Loader there is nobody to wait.
func join(c Config, w Watcher, path []string, err func() error) (leave func()) {
	ours, ok := c.(*config)
	if !ok {
		return func() {}
	}
	return ours.join(w, path, err)
}

func (c *config) join(w Watcher, path []string, err func() error) (leave func()) {
	wrapped, ok := w.(*watcher)
	if !ok {
		return func() {}
	}
	reads, ok := wrapped.Watcher.(following)
	if !ok {
		return func() {}
	}
	one := &part{append([]string(nil), path...), reads, err}
	reads.OnCaughtUp(c.confirm)
	c.parts.add(one)
	return func() {
		c.parts.remove(one)
		c.confirm()
	}
}

// confirm has the Loader ask the parts again.
func (c *config) confirm() {
	if l, ok := c.origin().Loader.(judging); ok {
		l.Confirm()
	}
}

// waitFor makes a Loader wait for the parts.
func (c *config) waitFor(l loader.Loader) {
	if j, ok := l.(judging); ok {
		j.Judge(c.parts.judge)
	}
}
