package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

func configStatusCommand() *cli.Command {
	return configSub("status", "", "show who runs what", `Lists the instances of services, in their states:
   current    has all that there is
   gray       has all that there is, and gray values over it
   behind     has yet to take a change; REVISION says how far it is
   refusing   does not take a value, and stays at the last good one
   stale      hears of no changes
   unknown    reads what you may not read, so that it is not known whether it has all
Only programs of this framework with a configuration in etcd say what they have.
With --wait it first waits until all have all that there is now.

   micro config status
   micro config status --service shop --wait --timeout 1m
   micro config status -o json`, 0, 0, showConfigStatus,
		&cli.StringFlag{Name: "service", Usage: "show the instances of `SERVICE` alone", DefaultText: "all"}, waitFlag())
}

func showConfigStatus(s *configSession) error {
	service := s.String("service")
	var late error
	if s.Bool("wait") {
		_, late = s.waitFor(func(ctx context.Context, told func(center.Progress)) error { return s.WaitAll(ctx, service, told) })
		if late != nil {
			late = fmt.Errorf("wait for instances: %w", late)
		}
	}
	if s.Context.Err() != nil {
		return late // interrupted
	}
	status, err := s.Status(s.Context.Context, service)
	if err != nil {
		return err
	}
	if err := show(s.Context, whoRunsWhat(status)); err != nil {
		return err
	}
	if n := len(status.Unread); n > 0 {
		stderr(s.Context).note("%s below the keys of instances that no instance can have written: %s", plural(n, "record"), strings.Join(status.Unread[:min(n, 3)], "; "))
	}
	if len(status.Hidden) > 0 {
		stderr(s.Context).note("the user may not read all %s: whether the instances that are unknown have them cannot be told", strings.Join(status.Hidden, " and "))
	}
	return late
}

type whoRunsWhat center.Status

var _ result = whoRunsWhat{}

func (r whoRunsWhat) value() any { return center.Status(r) }

func (r whoRunsWhat) table(w screen) error {
	if r.Release > 0 {
		w.line("newest release: %d, %s", r.Release, r.Released.Local().Format(time.DateTime))
	}
	counts := map[center.RunState]int{}
	t := newTable(w, "", "SERVICE", "NODE", "HOST", "VERSION", "STATE", "REVISION", "WHY")
	for _, i := range r.Instances {
		counts[i.State]++
		t.row(i.Service, i.Node, i.Host, i.Version, string(i.State), strconv.FormatInt(i.Revision, 10), why(i))
	}
	if err := t.flush(); err != nil {
		return err
	}
	var parts []string
	for _, state := range []center.RunState{center.Current, center.OnGray, center.Behind, center.Refusing, center.Stale, center.Unknown} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) > 0 {
		w.line("")
		w.line("%s: %s", plural(len(r.Instances), "instance"), strings.Join(parts, ", "))
	}
	return nil
}

// why says what there is to say of the state of an instance.
func why(i center.Instance) string {
	var parts []string
	if i.Stale != "" {
		parts = append(parts, i.Stale)
	}
	for _, r := range i.Refused[:min(len(i.Refused), 2)] {
		parts = append(parts, r.Where()+": "+r.Reason)
	}
	if n := i.More + max(0, len(i.Refused)-2); n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	if i.State == center.Behind && i.Newest > i.Revision {
		parts = append(parts, fmt.Sprintf("what it reads changed at revision %d", i.Newest))
	}
	if len(i.Grays) > 0 {
		parts = append(parts, "gray "+strings.Join(slices.Sorted(slices.Values(i.Grays)), ", "))
	}
	return strings.Join(parts, "; ")
}
