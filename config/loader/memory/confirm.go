package memory

import "github.com/rollcall-go/micro/config/source"

// Judge makes judge be asked, whenever something may have changed, whether all that has to
// take the configuration in force has taken or refused it, and what refused it. Only then
// sources hear that it is in force. judge must return quickly and call no method of m.
// Whoever changes what it answers calls Confirm.
func (m *memory) Judge(judge func() (refused []source.RefusedPart, done bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judges = append(m.judges, judge)
}

// Confirm tells the sources what is in force, if everybody has judged it.
func (m *memory) Confirm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.confirm()
}

// confirm is Confirm. m.mu is held.
func (m *memory) confirm() {
	if m.closed || m.snapshot == nil {
		return
	}
	var refused []source.RefusedPart
	for _, judge := range m.judges {
		more, done := judge()
		if !done {
			return
		}
		refused = append(refused, more...)
	}
	for _, f := range m.followed {
		if s, ok := f.source.(source.Informed); ok {
			s.SetApplied(source.Applied{Set: f.set, Err: f.err, Values: m.refused.of(f.source), Parts: refused})
		}
	}
}
