package enroll

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// attemptInto sends the outcome of one attempt, also of one whose program ends the
// goroutine, as the FailNow of a test in a check does.
func (e *Enrollment) attemptInto(attempts chan<- attempt) {
	a := attempt{err: errors.New("the check or the registry ended the goroutine (runtime.Goexit) instead of returning")}
	defer func() { attempts <- a }()
	a = e.attempt()
}

// attempt describes the service, checks it, and registers it where the registry
// does not have it that way already.
func (e *Enrollment) attempt() attempt {
	svc, err := e.describe()
	if err != nil {
		return attempt{err: err}
	}
	a := attempt{node: svc.Nodes[0].Id}
	held := e.held()
	if err := e.check(); err != nil {
		a.err, a.unhealthy = err, true
		if held != nil {
			a.withdrawn = e.cfg.Registry.Deregister(held, registry.DeregisterContext(e.ctx)) == nil
			e.unsure = !a.withdrawn
		}
		if a.withdrawn {
			e.hold(nil)
		}
		return a
	}
	if held != nil && !e.unsure && e.renewal() == 0 && reflect.DeepEqual(held, svc) {
		return a
	}
	ctx := e.ctx
	if e.cfg.Generated {
		ctx = ability.WithGenerated(ctx)
	}
	// The registry gets a copy: v2's contract does not say that it keeps its
	// hands off what it is given.
	err = e.cfg.Registry.Register(record.CopyService(svc), registry.RegisterTTL(e.cfg.TTL), registry.RegisterContext(ctx))
	e.unsure = err != nil
	if err != nil {
		a.err = err
		return a
	}
	if held != nil && idOf(held) != idOf(svc) {
		// The node was renamed; its old record is ours to remove.
		a.err = e.cfg.Registry.Deregister(held, registry.DeregisterContext(e.ctx))
	}
	e.hold(svc)
	return a
}

// undo takes back what an attempt registered that ended after Stop had given up
// waiting for it.
func (e *Enrollment) undo() {
	svc := e.held()
	if svc == nil {
		return
	}
	e.hold(nil)
	// The context of the enrolment is over; the registry's own timeout bounds this.
	if err := e.cfg.Registry.Deregister(svc); err != nil {
		e.lines.stays(svc.Nodes[0].Id, e.cfg.TTL, err)
	}
}

// describe returns the service to publish, or an error for one that cannot be.
func (e *Enrollment) describe() (*registry.Service, error) {
	svc, err := e.cfg.Describe(e.ctx)
	if err != nil {
		return nil, fmt.Errorf("describe the service: %w", err)
	}
	if svc == nil || len(svc.Nodes) != 1 || svc.Nodes[0] == nil {
		return nil, errors.New("describe the service: it must have exactly one node")
	}
	return svc, nil
}

func (e *Enrollment) check() error {
	if e.cfg.Check == nil {
		return nil
	}
	return e.cfg.Check(e.ctx)
}

func (e *Enrollment) held() *registry.Service {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.accepted
}

func (e *Enrollment) hold(svc *registry.Service) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.accepted = svc
}
