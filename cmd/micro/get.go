package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/doctor"
	"github.com/rollcall-go/micro/internal/nearby"
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
			Description: `Shows each version of the service: its metadata, its nodes with what the registry
knows of them (what is left of a lease in etcd, the health check in Consul), and its
endpoints with the shape of request and response. Nodes that "micro node pause" took
out are listed at the end.

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
	standing map[string]operate.Standing // by the id of a node, as far as known
	paused   []operate.Pause
}

var _ result = shown{}

func getService(s *session) error {
	name, ctx := s.Args().First(), s.Context.Context
	versions, err := s.registry.GetService(name, registry.GetContext(ctx))
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	found := err == nil
	var standing map[string]operate.Standing
	var looking sync.WaitGroup
	if found {
		looking.Go(func() { standing = s.standing(ctx, name) })
	}
	paused := s.pauses(name)
	looking.Wait()
	if !found {
		return s.notFound(name, paused)
	}
	return show(s.Context, shown{versions, standing, paused})
}

// standing returns what the registry knows of a service's nodes beside their records.
// It is nothing to fail for: a user may look at what is registered and not at more.
func (s *session) standing(ctx context.Context, service string) map[string]operate.Standing {
	nodes, _ := s.operator.Nodes(ctx, service)
	return s.operator.Standing(ctx, nodes)
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
	failed := fmt.Errorf("look up %q: %w in %s", name, registry.ErrNotFound, s.target)
	if s.registry.String() == "mdns" && nearby.Etcd(s.Context.Context, nearby.EtcdAddress) {
		failed = fmt.Errorf("%w; %s", failed, nearby.Hint(nearby.EtcdAddress))
	}
	return failed
}

// versionValue and nodeValue are what get prints as JSON: what stands in the
// registry, and beside it what it knows of a node.
type versionValue struct {
	*registry.Service
	Nodes []nodeValue `json:"nodes"`
}

type nodeValue struct {
	*registry.Node
	LeaseLeft *int64 `json:"lease_left_s,omitempty"`
	Check     string `json:"check,omitempty"`
}

func (r shown) value() any {
	all := []versionValue{}
	for _, v := range r.versions {
		one := versionValue{v, []nodeValue{}}
		for _, n := range v.Nodes {
			node := nodeValue{Node: n, Check: r.standing[n.Id].Check}
			if l := r.standing[n.Id].Lease; l != nil {
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

// nodes prints the nodes, with what the registry knows of them, if it does of one.
func (r shown) nodes(w screen, nodes []*registry.Node) error {
	columns := []struct {
		title string
		cell  func(*registry.Node) string
		rare  bool // left out if it would be empty
	}{
		{"NODE", func(n *registry.Node) string { return n.Id }, false},
		{"ADDRESS", func(n *registry.Node) string { return n.Address }, false},
		{"LEASE LEFT", r.lease, true},
		{"CHECK", func(n *registry.Node) string { return r.standing[n.Id].Check }, true},
		{"METADATA", func(n *registry.Node) string { return pairs(n.Metadata) }, false},
	}
	rows := make([][]string, 1+len(nodes)) // the first has the titles
	for _, c := range columns {
		filled := func(n *registry.Node) bool { return c.cell(n) != "" }
		if c.rare && !slices.ContainsFunc(nodes, filled) {
			continue
		}
		rows[0] = append(rows[0], c.title)
		for i, n := range nodes {
			rows[i+1] = append(rows[i+1], c.cell(n))
		}
	}
	t := newTable(w, "  ", rows[0]...)
	for _, row := range rows[1:] {
		t.row(row...)
	}
	return t.flush()
}

func (r shown) lease(n *registry.Node) string {
	if l := r.standing[n.Id].Lease; l != nil {
		return l.String()
	}
	return ""
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
