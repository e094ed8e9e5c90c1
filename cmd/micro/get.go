package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/doctor"
	"github.com/rollcall-go/micro/internal/operate"
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
			Description: `Shows each version of the service: its metadata, its nodes with what is left of
their leases, and its endpoints with the shape of request and response. Nodes that
"micro node pause" took out are listed at the end.

   micro get service greeter
   micro get service greeter -o json`,
			Flags:  append(registryFlags(5*time.Second), outputFlag()),
			Before: arguments(1, 1),
			Action: withRegistry(getService),
		}},
	}
}

// shown is a service as get shows it.
type shown struct {
	versions []*registry.Service
	leases   map[string]operate.Lease // by the id of a node, as far as known
	paused   []operate.Pause
}

var _ result = shown{}

func getService(s *session) error {
	name, ctx := s.Args().First(), s.Context.Context
	versions, err := s.registry.GetService(name, registry.GetContext(ctx))
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	paused := s.pauses(name)
	if err != nil {
		return s.notFound(name, paused)
	}
	return show(s.Context, shown{versions, s.leases(ctx, name), paused})
}

// leases returns what is left of the leases of a service's nodes. It is nothing to
// fail for: a user may look at what is registered and not at leases.
func (s *session) leases(ctx context.Context, service string) map[string]operate.Lease {
	nodes, err := s.operator.Nodes(ctx, service)
	if err != nil {
		return nil
	}
	left := s.operator.Leases(ctx, nodes)
	byNode := make(map[string]operate.Lease)
	for _, n := range nodes {
		if l, ok := left[n.Lease]; ok {
			byNode[n.Id] = l
		}
	}
	return byNode
}

// notFound says what there is in place of the service.
func (s *session) notFound(name string, paused []operate.Pause) error {
	if len(paused) > 0 {
		return fmt.Errorf("look up %q: no node is registered, and paused is %s: `micro node resume %s NODE` brings one back",
			name, few(idsOf(paused)), doctor.Shell(name))
	}
	services, err := s.registry.ListServices(registry.ListContext(s.Context.Context))
	if err == nil {
		var names []string
		for _, s := range services {
			names = append(names, s.Name)
		}
		slices.Sort(names)
		if near := suggest(name, slices.Compact(names)); len(near) > 0 {
			return fmt.Errorf("look up %q: service not found; did you mean %s?", name, strings.Join(near, ", "))
		}
	}
	return fmt.Errorf("look up %q: %w in %s", name, registry.ErrNotFound, s.target)
}

// versionValue and nodeValue are what get prints as JSON: what stands in the
// registry, and beside it what is known of a node's lease.
type versionValue struct {
	*registry.Service
	Nodes []nodeValue `json:"nodes"`
}

type nodeValue struct {
	*registry.Node
	LeaseLeft *int64 `json:"lease_left_s,omitempty"`
}

func (r shown) value() any {
	all := []versionValue{}
	for _, v := range r.versions {
		one := versionValue{v, []nodeValue{}}
		for _, n := range v.Nodes {
			node := nodeValue{Node: n}
			if l, ok := r.leases[n.Id]; ok {
				left := int64(l.Left / time.Second)
				node.LeaseLeft = &left
			}
			one.Nodes = append(one.Nodes, node)
		}
		all = append(all, one)
	}
	return all
}

func (r shown) table(w screen) error {
	for i, s := range r.versions {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := r.version(w, s); err != nil {
			return err
		}
	}
	if len(r.paused) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "  ", "PAUSED NODE", "BY", "SINCE", "REASON")
	for _, p := range r.paused {
		t.row(p.Node, p.By, p.At, p.Reason)
	}
	return t.flush()
}

// version prints one version of a service.
func (r shown) version(w screen, s *registry.Service) error {
	w.line("service   %s", s.Name)
	w.line("version   %s", s.Version)
	if len(s.Metadata) > 0 {
		w.line("metadata  %s", pairs(s.Metadata))
	}
	fmt.Fprintln(w)
	if err := r.nodes(w, s.Nodes); err != nil {
		return err
	}
	// Shapes can be long: they get lines of their own.
	for _, e := range s.Endpoints {
		fmt.Fprintln(w)
		w.line("  %s", e.Name)
		w.line("    request   %s", shape(e.Request))
		w.line("    response  %s", shape(e.Response))
		if len(e.Metadata) > 0 {
			w.line("    metadata  %s", pairs(e.Metadata))
		}
	}
	return nil
}

// nodes prints the nodes, with their leases if one is known.
func (r shown) nodes(w screen, nodes []*registry.Node) error {
	leased := slices.ContainsFunc(nodes, func(n *registry.Node) bool { _, ok := r.leases[n.Id]; return ok })
	titles := []string{"NODE", "ADDRESS", "LEASE LEFT", "METADATA"}
	if !leased {
		titles = slices.Delete(titles, 2, 3)
	}
	t := newTable(w, "  ", titles...)
	for _, n := range nodes {
		row := []string{n.Id, n.Address}
		if leased {
			left := ""
			if l, ok := r.leases[n.Id]; ok {
				left = l.String()
			}
			row = append(row, left)
		}
		t.row(append(row, pairs(n.Metadata))...)
	}
	return t.flush()
}

// pairs writes metadata as key=value, sorted by key.
func pairs(md map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(md)) {
		all = append(all, k+"="+md[k])
	}
	return strings.Join(all, " ")
}

// shapeDepth is how deep a message is written out. Nobody reads what lies deeper,
// and somebody may have planted it to fill the memory.
const shapeDepth = 8

// shape writes a message as its type with its fields: Req{name string}.
func shape(v *registry.Value) string {
	if v == nil {
		return "-"
	}
	var b strings.Builder
	b.WriteString(v.Type)
	fields(&b, v, shapeDepth)
	return b.String()
}

func fields(b *strings.Builder, v *registry.Value, depth int) {
	open := "{"
	for _, f := range v.Values {
		if f == nil {
			continue
		}
		b.WriteString(open)
		open = ", "
		if depth == 0 {
			b.WriteString("...")
			break
		}
		b.WriteString(strings.TrimSpace(f.Name + " " + f.Type))
		fields(b, f, depth-1)
	}
	if open != "{" {
		b.WriteString("}")
	}
}

func idsOf(paused []operate.Pause) []string {
	var ids []string
	for _, p := range paused {
		ids = append(ids, p.Node)
	}
	return ids
}
