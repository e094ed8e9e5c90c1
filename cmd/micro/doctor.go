package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/internal/doctor"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/secure"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find out what is wrong with the registry, and how to mend it",
		Description: `Looks at the registry and at every registered node, from this host: in etcd at TLS,
login, rights, leader and members, advertised URLs, size of the database, alarms and
release, and at the configuration as "micro config lint" and "micro config status" do; in Consul at agents,
leader, token, release and clock; for multicast DNS at each interface of this host; and
of the nodes at record, lease or health check, address, duplicates and pauses, and
where any speaks TLS, at the certificates, with the eyes of a caller that has the same
flags. Prints a finding a line with its code, and how to mend
what is not ok. It only reads, and is done within the timeout. The exit code is 1 if
there is a problem; a warning is none.

   micro doctor
   micro doctor --registry=etcd --registry_address=10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379
   micro doctor --registry=consul -o json`,
		Flags:  slices.Concat(registryFlags(10*time.Second), callflags.ClientFlags(), []cli.Flag{outputFlag()}),
		Before: arguments(0, 0),
		Action: runDoctor,
	}
}

func runDoctor(c *cli.Context) error {
	p, err := targetOf(c)
	if err != nil {
		return err
	}
	tls, err := securityOf(c)
	if err != nil {
		return err
	}
	found := p.examine(c.Context, tls.Over(secure.Client{}))
	err = show(c, found)
	if err == nil && found.count(doctor.Problem) > 0 {
		err = errReported // on standard output: the findings are the result
	}
	return err
}

// examine has each registry looked at.
func (p registryTarget) examine(ctx context.Context, tls secure.Client) (all findings) {
	for _, m := range p.members {
		own, cancel := context.WithTimeout(ctx, p.timeout)
		switch m.kind {
		case "etcd":
			all = append(all, doctor.Examine(ctx, m.Config(p.timeout), m.Layout)...)
			all = append(all, m.instances(ctx, p.timeout)...)
			all = append(all, m.secured(own, p.timeout, tls)...)
		case "consul":
			all = append(all, doctor.ExamineConsul(ctx, m.Consul(p.timeout))...)
			all = append(all, m.secured(own, p.timeout, tls)...)
		case "mdns":
			all = append(all, doctor.ExamineMulticast(ctx, nil)...)
			all = append(all, m.found(ctx, p.timeout, tls)...)
		default:
			all = append(all, m.found(ctx, p.timeout, tls)...)
		}
		cancel()
	}
	return all
}

// found looks at what a registry has, with the eyes of a service.
func (m member) found(ctx context.Context, timeout time.Duration, tls secure.Client) []doctor.Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r := m.new(timeout)
	begun := time.Now()
	services, err := operate.Services(ctx, r)
	found := doctor.ExamineFound(ctx, m.String(), services, time.Since(begun), err)
	_ = closeRegistry(r) // nothing was written that could be lost
	return append(found, doctor.ExamineTLS(ctx, tls, services)...)
}

// secured looks at how the nodes of a registry can be called by TLS, until ctx ends. Why
// the registry cannot be read is among the other findings.
func (m member) secured(ctx context.Context, timeout time.Duration, tls secure.Client) []doctor.Finding {
	if ctx.Err() != nil {
		return nil
	}
	r := m.new(timeout)
	services, _ := operate.Services(ctx, r)
	_ = closeRegistry(r) // nothing was written that could be lost
	return doctor.ExamineTLS(ctx, tls, services)
}

// findings are printed in the order in which they were made, which goes from the
// network upwards.
type findings []doctor.Finding

var _ result = findings(nil)

func (all findings) value() any { return all }

func (all findings) table(w screen) error {
	for _, f := range all {
		w.line("%-9s%s: %s [%s]", f.Level, f.Subject, f.Cause, f.Code)
		if f.Fix != "" {
			w.line("         fix: %s", f.Fix)
		}
	}
	_, err := fmt.Fprintf(w, "\n%s, %s, %d ok\n", plural(all.count(doctor.Problem), "problem"), plural(all.count(doctor.Warning), "warning"), all.count(doctor.OK))
	return err
}

// count returns how many findings there are of a level, those left out included.
func (all findings) count(level doctor.Level) int {
	n := 0
	for _, f := range all {
		if f.Level == level {
			n += 1 + f.More
		}
	}
	return n
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// areMany is plural with the verb behind it.
func areMany(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return plural(n, thing) + " are"
}
