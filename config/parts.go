package config

import (
	"sync"

	"github.com/rollcall-go/micro/config/loader"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
)

// parts are what Bind made of a Config, each a part of the program with a judgement of its
// own on what is in force.
type parts struct {
	mu     sync.Mutex
	all    map[*part]struct{}
	number int // of the Loader that they are to follow
}

// part is one of them.
type part struct {
	path   []string
	err    func() error // why it does not take its value
	follow func()       // makes it follow the Loader that there is now

	// The parts guard what follows.
	watcher caughtUp // nil: its Watcher cannot tell
	number  int      // of the Loader of watcher
	settled bool     // it has taken or refused the value that watcher began with
}

// caughtUp is what the Watcher of this house tells of its reader.
type caughtUp interface {
	Behind() bool
	OnCaughtUp(f func())
}

// judging is a Loader that waits for the parts before it says that something is in force.
type judging interface {
	Judge(func() (refused []source.RefusedPart, done bool))
	Confirm()
}

// add notes that a part follows the Loader of a number. It reports whether that is still
// the one to follow.
func (p *parts) add(one *part, w caughtUp, number int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[*part]struct{})
	}
	p.all[one] = struct{}{}
	one.watcher, one.number, one.settled = w, number, false
	return number >= p.number
}

func (p *parts) settle(one *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.settled = true
}

func (p *parts) remove(one *part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, one)
}

// judge returns which parts refuse what is in force of the Loader of a number, and whether
// each has looked at it.
func (p *parts) judge(number int) (refused []source.RefusedPart, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.all {
		if one.number != number || one.watcher == nil {
			continue
		}
		if !one.settled || one.watcher.Behind() {
			return nil, false
		}
		if err := one.err(); err != nil {
			refused = append(refused, source.RefusedPart{Path: one.path, Err: err})
		}
	}
	return refused, true
}

// follow makes all parts follow the Loader of a number, which has loaded what there is.
func (p *parts) follow(number int) {
	p.mu.Lock()
	var others []*part
	p.number = max(p.number, number)
	for one := range p.all {
		if one.number < p.number {
			others = append(others, one)
		}
	}
	p.mu.Unlock()
	for _, one := range others {
		one.follow()
	}
}

// watch returns a Watcher for a part, and the value that it has not told. From then on the
// Loader waits for the part until leave, first for settle. With another's Config or Loader
// nobody waits.
func watch(c Config, one *part) (Watcher, reader.Value, error) {
	ours, ok := c.(*config)
	if !ok {
		w, err := c.Watch(one.path...)
		if err != nil {
			return nil, nil, err
		}
		return w, c.Get(one.path...), nil
	}
	return ours.watchFor(one)
}

func (c *config) watchFor(one *part) (Watcher, reader.Value, error) {
	for {
		o := c.origin()
		w, err := c.watch(o, one.path)
		if err != nil {
			return nil, nil, err
		}
		reads, ok := w.Watcher.(caughtUp)
		if ok {
			reads.OnCaughtUp(c.confirm)
		} else if err := c.refresh(o); err != nil { // what there is may be older than w knows
			_ = w.Stop() // the reason is err
			return nil, nil, err
		}
		if c.parts.add(one, reads, o.number) {
			return w, c.Get(one.path...), nil
		}
		_ = w.Stop() // meanwhile there is another Loader
	}
}

// settle notes that a part has taken or refused the value that watch returned.
func settle(c Config, one *part) {
	if ours, ok := c.(*config); ok {
		ours.parts.settle(one)
		ours.confirm()
	}
}

// leave ends that the Loader waits for a part.
func leave(c Config, one *part) {
	if ours, ok := c.(*config); ok {
		ours.parts.remove(one)
		ours.confirm()
	}
}

// confirm has the Loader ask the parts again.
func (c *config) confirm() {
	if l, ok := c.origin().Loader.(judging); ok {
		l.Confirm()
	}
}

// waitFor makes a Loader, the one of that number, wait for the parts.
func (c *config) waitFor(l loader.Loader, number int) {
	if j, ok := l.(judging); ok {
		j.Judge(func() ([]source.RefusedPart, bool) { return c.parts.judge(number) })
	}
}
