package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/similar"
	"github.com/rollcall-go/micro/registry"
)

func getCommand() *cli.Command {
	return &cli.Command{
		Name:  "get",
		Usage: "show one thing that is registered",
		Subcommands: []*cli.Command{{
			Name:      "service",
			Usage:     "show a service with its nodes and endpoints",
			ArgsUsage: "NAME",
			Description: `Shows each version of the service: its metadata, its nodes, and its endpoints
with the shape of request and response. Nodes that "micro node pause" took out
are listed at the end.

   micro get service greeter
   micro get service greeter -o json`,
			Flags:  append(registryFlags(5*time.Second), outputFlag()),
			Before: arguments(1, 1),
			Action: withRegistry(getService),
		}},
	}
}

func getService(c *cli.Context, p registryTarget, r registry.Registry) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	services, err := r.GetService(name, registry.GetContext(c.Context))
	missing := errors.Is(err, registry.ErrNotFound)
	if err != nil && !missing {
		return p.explain(err)
	}
	pauses, err := openPauses(p)
	if err != nil {
		return err
	}
	defer pauses.close()
	paused, err := pauses.of(c.Context, name)
	if err != nil {
		return p.explain(err)
	}
	if missing {
		return notFound(c.Context, p, r, name, paused)
	}
	if asJSON {
		return printJSON(c.App.Writer, services)
	}
	for i, s := range services {
		if i > 0 {
			fmt.Fprintln(c.App.Writer)
		}
		if err := showVersion(c.App.Writer, s); err != nil {
			return err
		}
	}
	if len(paused) == 0 {
		return nil
	}
	fmt.Fprintln(c.App.Writer)
	return showPaused(c.App.Writer, paused)
}

// notFound says what there is in place of the service.
func notFound(ctx context.Context, p registryTarget, r registry.Registry, name string, paused []pause) error {
	if len(paused) > 0 {
		return fmt.Errorf("look up %q: no node is registered, and paused is %s: `micro node resume %s NODE` brings one back",
			name, strings.Join(idsOf(paused), ", "), name)
	}
	err := p.explain(fmt.Errorf("look up %q: %w in %s", name, registry.ErrNotFound, p))
	services, listErr := r.ListServices(registry.ListContext(ctx))
	if listErr != nil {
		return err // which says the more important thing
	}
	var names []string
	for _, s := range summarize(services) {
		names = append(names, s.Name)
	}
	if near := suggest(name, names); len(near) > 0 {
		return fmt.Errorf("look up %q: %w; did you mean %s?", name, registry.ErrNotFound, strings.Join(near, ", "))
	}
	return err
}

// suggest returns the names that somebody may have meant: those that contain what
// was given or are contained in it, or else one that differs by few letters.
func suggest(given string, names []string) []string {
	const most = 5
	var near []string
	for _, n := range names {
		if strings.Contains(n, given) || strings.Contains(given, n) {
			near = append(near, n)
		}
	}
	if len(near) == 0 {
		if n := similar.Nearest(given, names); n != "" {
			near = append(near, n)
		}
	}
	return near[:min(len(near), most)]
}

// showVersion prints one version of a service.
func showVersion(w io.Writer, s *registry.Service) error {
	fmt.Fprintf(w, "service   %s\nversion   %s\n", printable(s.Name), printable(s.Version))
	if len(s.Metadata) > 0 {
		fmt.Fprintf(w, "metadata  %s\n", printable(pairs(s.Metadata)))
	}
	fmt.Fprintln(w)
	nodes := newTable(w, "  ", "NODE", "ADDRESS", "METADATA")
	for _, n := range s.Nodes {
		nodes.row(n.Id, n.Address, pairs(n.Metadata))
	}
	if err := nodes.flush(); err != nil {
		return err
	}
	// Shapes can be long: they get lines of their own.
	for _, e := range s.Endpoints {
		fmt.Fprintf(w, "\n  %s\n    request   %s\n    response  %s\n", printable(e.Name), printable(shape(e.Request)), printable(shape(e.Response)))
		if len(e.Metadata) > 0 {
			fmt.Fprintf(w, "    metadata  %s\n", printable(pairs(e.Metadata)))
		}
	}
	return nil
}

// pairs writes metadata as key=value, sorted by key.
func pairs(md map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(md)) {
		all = append(all, k+"="+md[k])
	}
	return strings.Join(all, " ")
}

// shape writes a message as its type with its fields: Req{name string}.
func shape(v *registry.Value) string {
	if v == nil {
		return "-"
	}
	return v.Type + fields(v)
}

func fields(v *registry.Value) string {
	var all []string
	for _, f := range v.Values {
		if f != nil {
			all = append(all, strings.TrimSpace(f.Name+" "+f.Type)+fields(f))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "{" + strings.Join(all, ", ") + "}"
}
