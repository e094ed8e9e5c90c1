package memory

import (
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/logger"
)

// retryRefused is how long after a Reader refused values it is asked for them again: what
// it lacks, a key in a file say, changes without the sources.
const retryRefused = 2 * time.Second

// refused is what the Reader refused of the present snapshot.
type refused struct {
	now      []source.Refused
	by       []source.Source // the source of each, nil where none of them knows it
	retrying bool
}

// look asks the Reader what it refused, logs what is new of it, and sees to it that it is
// asked again. It reports whether that is something else than before. m.mu is held.
func (m *memory) look() (changed bool) {
	r, ok := m.opts.Reader.(reader.Refuser)
	if !ok {
		return false
	}
	before := make(map[source.Refused]bool)
	for _, one := range m.refused.now {
		before[said(one)] = true
	}
	all := r.Refused()
	changed = len(all) != len(m.refused.now)
	m.refused.now, m.refused.by = nil, nil
	for _, one := range all {
		from, shown := m.origin(one)
		m.refused.now, m.refused.by = append(m.refused.now, shown), append(m.refused.by, from)
		if !before[said(shown)] {
			changed = true
			logger.Warnf("Config [secret] A secret cannot be opened and does not count; the last one of its key that could stays: key %q, revision %d: %v", shown.Key, shown.Revision, shown.Err)
		}
	}
	if len(all) > 0 && !m.refused.retrying && !m.closed {
		m.refused.retrying = true
		m.running.Go(m.retry)
	}
	return changed
}

// said is a refusal to compare: two errors that say the same are one.
func said(r source.Refused) source.Refused {
	return source.Refused{Key: r.Key + "\n" + r.Err.Error(), Revision: r.Revision}
}

// origin returns the source of a value and its key there, the last one that knows it.
func (m *memory) origin(r reader.Refused) (source.Source, source.Refused) {
	for i := len(m.followed) - 1; i >= 0; i-- {
		l, ok := m.followed[i].source.(source.Locator)
		if !ok {
			continue
		}
		if key, revision, found := l.Locate(r.Path...); found {
			return m.followed[i].source, source.Refused{Key: key, Revision: revision, Err: r.Err}
		}
	}
	return nil, source.Refused{Key: strings.Join(r.Path, "/"), Err: r.Err}
}

// retry asks for the values of the snapshot again while some of them are refused.
func (m *memory) retry() {
	timer := time.NewTicker(retryRefused)
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-timer.C:
		}
		m.mu.Lock()
		if values, err := m.opts.Reader.Values(m.snapshot.ChangeSet); err == nil && m.look() {
			m.publish(m.snapshot.ChangeSet, values)
			m.confirm()
		}
		over := len(m.refused.now) == 0
		m.refused.retrying = !over
		m.mu.Unlock()
		if over {
			return
		}
	}
}

// of returns the values of a source that are refused.
func (r *refused) of(s source.Source) (all []source.Refused) {
	for i, by := range r.by {
		if by != nil && same(by, s) {
			all = append(all, r.now[i])
		}
	}
	return all
}
