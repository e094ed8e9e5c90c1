package enroll

import (
	"time"

	"github.com/rollcall-go/micro/logger"
)

// lines writes the log of an enrolment: one line per change of state.
type lines struct {
	log      logger.Logger
	registry string
}

func (l *lines) transition(from, to State) {
	switch {
	case to.Phase == Registered && from.Phase == Trying && !from.lost:
		l.log.Logf(logger.InfoLevel, "Registry [%s] Registering node: %s", l.registry, to.Node)
	case to.Phase == Registered:
		l.log.Logf(logger.InfoLevel, "Registry [%s] Registered again, was %s: %s", l.registry, from.Phase, to.Node)
	case to.Phase == Trying && to.lost && (from.Phase == Paused || from.Phase == Displaced):
		l.log.Logf(logger.InfoLevel, "Registry [%s] Node was %s and comes back: %s: %s", l.registry, from.Phase, to.Node, to.Reason)
	case to.Phase == Trying && to.lost:
		l.log.Logf(logger.WarnLevel, "Registry [%s] Lost node: %s: %s", l.registry, to.Node, to.Reason)
	case to.Phase == Trying:
		l.log.Logf(logger.ErrorLevel, "Server register error: %s", to.Reason)
	case to.Phase == Left:
	default:
		l.log.Logf(logger.WarnLevel, "Registry [%s] Node is %s: %s: %s", l.registry, to.Phase, to.Node, to.Reason)
	}
}

func (l *lines) leaving(node string) {
	l.log.Logf(logger.InfoLevel, "Deregistering node: %s", node)
}

func (l *lines) stays(node string, ttl time.Duration, err error) {
	l.log.Logf(logger.WarnLevel, "Registry [%s] Node stays in the registry until its TTL of %s ends: %s: %v", l.registry, ttl, node, err)
}
