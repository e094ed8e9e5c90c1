package endpoint

import "time"

// A node whose connection can be made, and breaks under the calls that are written
// to it, looks ready each time it is looked at. It is ejected: called after others
// for a time that grows while it goes on so. An answer, whatever it says, ends that.

const (
	// ejectAfter is how many times the connection has to break under calls, with no
	// answer in between.
	ejectAfter = 3
	// ejectFirst is how long a node is ejected for the first time, twice as long each
	// time that follows, and ejectMost at the longest.
	ejectFirst = time.Second
	ejectMost  = 30 * time.Second
)

// Broke says that the connection to the node ended under calls that wait for an
// answer. It reports whether that ejects the node.
func (l *Load) Broke() bool {
	n := l.failures.Add(1)
	if n < ejectAfter || l.clock == nil {
		return false
	}
	l.barred.Store(int64(l.clock.Read() + min(ejectFirst<<min(n-ejectAfter, 10), ejectMost)))
	return true
}

// Answered says that the node answered.
func (l *Load) Answered() {
	if l.failures.Load() != 0 {
		l.failures.Store(0)
		l.barred.Store(0)
	}
}

// MayBeEjected reports whether Ejected is worth asking. It reads no clock.
func (l *Load) MayBeEjected() bool { return l.barred.Load() != 0 }

// Ejected returns until when the node is ejected, by the clock of its Load, zero if
// it is not. From then on it is called as others are; should its connection break
// again at once, so is it ejected again.
func (l *Load) Ejected() time.Duration {
	until := time.Duration(l.barred.Load())
	if until == 0 || l.clock == nil || l.clock.Read() >= until {
		return 0
	}
	return until
}
