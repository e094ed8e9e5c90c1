package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "print what changes, as it happens",
		ArgsUsage: "[SERVICE]",
		Description: `Prints a line for each node that is registered (create), registered differently
(update) or gone (delete), of one service or of all, until it is interrupted. It
says on standard error from when on nothing is missed, when it is out of touch with
the registry, and when it is back; then it prints what changed meanwhile.

   micro watch
   micro watch greeter
   micro watch greeter -o json`,
		Flags:  append(registryFlags(5*time.Second), outputFlag()),
		Before: arguments(0, 1),
		Action: withRegistry(watch),
	}
}

// event is a change of one node as watch prints it.
type event struct {
	Time     time.Time         `json:"time"`
	Action   string            `json:"action"`
	Service  string            `json:"service"`
	Version  string            `json:"version"`
	Node     string            `json:"node"`
	Address  string            `json:"address"`
	Metadata map[string]string `json:"metadata"`
}

func watch(s *session) error {
	name, what := s.Args().First(), "all services"
	if name != "" {
		what = fmt.Sprintf("%q", name)
	}
	ctx := s.Context.Context
	w, err := s.registry.Watch(registry.WatchService(name), registry.WatchContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return nil // interrupted before it began
		}
		return err
	}
	defer w.Stop()
	stderr(s.Context).note("watching %s in %s, Ctrl-C ends", what, s.target)
	defer s.tellTouch(name)()
	for {
		result, err := w.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, registry.ErrWatcherStopped):
			return fmt.Errorf("watch %s: the registry ended the watch", what)
		case err != nil:
			return fmt.Errorf("watch %s: %w", what, err)
		}
		if err := printEvents(stdout(s.Context), eventsOf(result, time.Now()), wantsJSON(s.Context)); err != nil {
			return err
		}
	}
}

// tellTouch says on standard error when the registry cannot be heard, and when it
// can again, until stop is called.
func (s *session) tellTouch(name string) (stop func()) {
	source, ok := ability.As[feed.Source](s.registry)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(s.Context.Context)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// That the watch cannot go on is said by the watch.
		_ = source.Follow(ctx, name, &touch{out: stderr(s.Context), where: s.target.String(), now: time.Now})
	}()
	return func() {
		cancel()
		<-done
	}
}

// touch is told how a watch that has begun stands with its registry. Calls come one
// at a time.
type touch struct {
	out   screen
	where string
	now   func() time.Time
	lost  time.Time // zero while it is in touch
}

var _ feed.Sink = (*touch)(nil)

// Update is of no interest: the watch prints it.
func (t *touch) Update(feed.Update) {}

// Status says what has changed.
func (t *touch) Status(s feed.Status) {
	at := t.now().Format("15:04:05.000")
	switch {
	case s.Live && !t.lost.IsZero():
		t.out.note("%s  in touch with %s again, after %s", at, t.where, t.now().Sub(t.lost).Round(100*time.Millisecond))
		t.lost = time.Time{}
	case !s.Live && s.Err != nil && t.lost.IsZero():
		t.lost = t.now()
		t.out.note("%s  out of touch with %s: %v; what changes meanwhile is printed when it is back", at, t.where, s.Err)
	}
}

func eventsOf(r *registry.Result, now time.Time) []event {
	var events []event
	for _, n := range r.Service.Nodes {
		events = append(events, event{
			Time: now, Action: r.Action, Service: r.Service.Name, Version: r.Service.Version,
			Node: n.Id, Address: n.Address, Metadata: n.Metadata,
		})
	}
	return events
}

func printEvents(w screen, events []event, asJSON bool) error {
	for _, e := range events {
		var err error
		if asJSON {
			err = writeJSON(w, e, "")
		} else {
			_, err = fmt.Fprintln(w, printable(fmt.Sprintf("%s  %-6s  %s  %s  %s  %s",
				e.Time.Format("15:04:05.000"), e.Action, e.Service, e.Version, e.Node, e.Address)))
		}
		if err != nil {
			return fmt.Errorf("print what changed: %w", err)
		}
	}
	return nil
}
