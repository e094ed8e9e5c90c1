package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/registry"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "print what changes, as it happens",
		ArgsUsage: "[SERVICE]",
		Description: `Prints a line for each node that is registered (create), registered differently
(update) or gone (delete), of one service or of all, until it is interrupted. It
says on standard error from when on nothing is missed. While the registry is away
it waits; then it prints what changed meanwhile.

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

func watch(c *cli.Context, p registryTarget, r registry.Registry) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	name, what := c.Args().First(), "all services"
	if name != "" {
		what = fmt.Sprintf("%q", name)
	}
	w, err := r.Watch(registry.WatchService(name), registry.WatchContext(c.Context))
	if err != nil {
		if c.Context.Err() != nil {
			return nil // interrupted before it began
		}
		return p.explain(err)
	}
	defer w.Stop()
	fmt.Fprintf(c.App.ErrWriter, "watching %s in %s, Ctrl-C ends\n", what, p)
	for {
		result, err := w.Next()
		switch {
		case c.Context.Err() != nil:
			return nil
		case errors.Is(err, registry.ErrWatcherStopped):
			return fmt.Errorf("watch %s: the registry ended the watch", what)
		case err != nil:
			return p.explain(fmt.Errorf("watch %s: %w", what, err))
		}
		if err := printEvents(c.App.Writer, eventsOf(result, time.Now()), asJSON); err != nil {
			return err
		}
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

func printEvents(w io.Writer, events []event, asJSON bool) error {
	for _, e := range events {
		var err error
		if asJSON {
			err = json.NewEncoder(w).Encode(e)
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
