package main

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/internal/doctor"
)

// instances finds the instances of services that do not have the configuration that
// there is. It says nothing where the user may not look, or etcd does not answer: the
// findings about etcd itself say that.
func (m member) instances(ctx context.Context, timeout time.Duration) []doctor.Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r := m.new(timeout)
	defer func() { _ = closeRegistry(r) }() // nothing was written that could be lost
	operated, err := center.New(r)
	if err != nil {
		return nil
	}
	status, err := operated.Status(ctx, "")
	if err != nil || len(status.Instances) == 0 {
		return nil
	}
	found := doctor.Brief(laggards(status.Instances))
	if len(found) == 0 && len(status.Hidden) == 0 {
		found = []doctor.Finding{{
			Level: doctor.OK, Code: "config.instances", Subject: m.String(),
			Cause: plural(len(status.Instances), "instance") + " of services have the configuration that there is",
		}}
	}
	return found
}

// laggards says of each instance that does not have what there is why it has not.
func laggards(all []center.Instance) (found []doctor.Finding) {
	for _, i := range all {
		f := doctor.Finding{Level: doctor.Warning, Subject: "node " + i.Node + " of " + i.Service, Cause: why(i)}
		switch i.State {
		case center.Behind:
			f.Code, f.Cause = "config.behind", "it has yet to take a change of the configuration"
			f.Fix = "look again in some seconds; if it stays so, look at the log of the service"
		case center.Refusing:
			f.Code = "config.refusing"
			f.Cause = "it refuses a value and stays at the last good one: " + f.Cause
			f.Fix = "put another value there with `micro config set`, or bring one back with `micro config rollback`"
		case center.Stale:
			f.Code = "config.stale"
			f.Cause = "it hears of no changes: " + f.Cause
			f.Fix = "see that the service reaches etcd, with a user that may read the configuration"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
