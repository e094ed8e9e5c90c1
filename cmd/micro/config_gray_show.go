package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/registry"
)

// shownGray is a gray as commands show it.
type shownGray struct {
	center.Gray
	// Nodes are the ids of the registered nodes that it is for, nil if that cannot be
	// known, of so many as Of.
	Nodes []string `json:"nodes"`
	Of    int      `json:"of"`
}

// spelledGray is the name of a gray as tables show it, and grayName reads it: one that
// somebody else put there may have what cannot be seen in it, and stands in quotes.
func spelledGray(name string) string {
	if gray.CheckName(name) != nil {
		return strconv.QuoteToASCII(name)
	}
	return name
}

// grayName is the name that an argument means: no gray that can be set has a quote in it.
func grayName(arg string) string {
	if strings.HasPrefix(arg, `"`) {
		if name, err := strconv.Unquote(arg); err == nil {
			return name
		}
	}
	return arg
}

// nodes is reach in a sentence.
func (g shownGray) nodes() string {
	return fmt.Sprintf("%d of %s", len(g.Nodes), plural(g.Of, "registered node"))
}

// reach says how many nodes there are.
func (g shownGray) reach() string {
	if g.Nodes == nil {
		return "unknown"
	}
	return fmt.Sprintf("%d of %d", len(g.Nodes), g.Of)
}

// who says who it is for.
func (g shownGray) who() string {
	if g.Unread != "" {
		return "cannot be read"
	}
	return g.Match.String()
}

// registered returns the services with their nodes. Where they cannot be told a line on
// standard error says so: what else there is to say is not held back for it.
func (s *configSession) registered() []*registry.Service {
	ctx, cancel := context.WithTimeout(s.Context.Context, s.target.timeout)
	defer cancel()
	services, err := operate.Services(ctx, s.registry)
	if err != nil {
		stderr(s.Context).note("micro: the nodes cannot be told: %v", err)
		return nil
	}
	return services
}

// reached finds out which of the nodes a gray is for. Host and environment of a node do
// not stand in the registry.
func reached(g center.Gray, services []*registry.Service) shownGray {
	shown := shownGray{Gray: g}
	if g.Unread != "" || services == nil || len(g.Match.Hosts)+len(g.Match.Environments) > 0 {
		return shown
	}
	shown.Nodes = []string{}
	for _, svc := range services {
		if len(g.Match.Services) > 0 && !slices.Contains(g.Match.Services, svc.Name) {
			continue
		}
		for _, n := range svc.Nodes {
			shown.Of++
			if g.Match.Holds(g.Name, source.Instance{Service: svc.Name, Node: n.Id, Version: svc.Version, Metadata: n.Metadata}) {
				shown.Nodes = append(shown.Nodes, n.Id)
			}
		}
	}
	slices.Sort(shown.Nodes)
	return shown
}

// noteNodes says how many nodes have the values of a gray that was set. A small share of
// few nodes may be none.
func (s *configSession) noteNodes(g center.Gray) {
	if s.Bool("dry-run") || wantsJSON(s.Context) {
		return
	}
	if shown := reached(g, s.registered()); shown.Nodes != nil {
		stderr(s.Context).note("it is for %s now; `micro config gray show %s` names them", shown.nodes(), g.Name)
	}
}

func listGrays(s *configSession) error {
	all, err := s.Grays(s.Context.Context)
	if err != nil {
		return err
	}
	list := make(grayList, len(all))
	if len(all) > 0 {
		services := s.registered()
		for i, g := range all {
			list[i] = reached(g, services)
		}
	}
	return show(s.Context, list)
}

type grayList []shownGray

var _ result = grayList(nil)

func (l grayList) value() any { return append([]shownGray{}, l...) }

func (l grayList) table(w screen) error {
	t := newTable(w, "", "NAME", "FOR", "NODES NOW", "KEYS", "BY", "SINCE", "COMMENT")
	for _, g := range l {
		since := ""
		if !g.When.IsZero() {
			since = g.When.Local().Format(time.DateTime)
		}
		t.row(spelledGray(g.Name), g.who(), g.reach(), few(slices.Sorted(maps.Keys(g.Values))), g.Who, since, g.Comment)
	}
	return t.flush()
}

func showGray(s *configSession) error {
	name := grayName(s.Args().First())
	g, err := s.Gray(s.Context.Context, name)
	if err != nil {
		return s.nearGray(name, err)
	}
	d := grayDetails{shownGray: reached(g, s.registered()), Now: make(map[string]string)}
	for key := range g.Values {
		e, err := s.Get(s.Context.Context, key)
		if err == nil {
			d.Now[key] = e.Value
		} else if !errors.Is(err, center.ErrNotFound) {
			return err
		}
	}
	return show(s.Context, d)
}

// grayDetails is a gray beside what everybody has.
type grayDetails struct {
	shownGray
	Now map[string]string `json:"now"` // what everybody has, by key
}

var _ result = grayDetails{}

func (d grayDetails) value() any { return d }

func (d grayDetails) table(w screen) error {
	if d.Unread != "" {
		w.line("gray %s cannot be read: %s", spelledGray(d.Name), d.Unread)
		return nil
	}
	w.line("gray %s, for %s", d.Name, d.who())
	if d.Who != "" || d.Comment != "" {
		line := fmt.Sprintf("by %s, %s", d.Who, d.When.Local().Format(time.DateTime))
		if d.Comment != "" {
			line += ": " + d.Comment
		}
		w.line("%s", line)
	}
	t := newTable(w, "  ", "KEY", "EVERYBODY", "GRAY", "NOTE")
	for _, key := range slices.Sorted(maps.Keys(d.Values)) {
		now, there := d.Now[key]
		base, was := d.Base[key]
		note := " " // an empty cell would be a dash
		if there != was || now != base {
			note = "changed since it was put in"
		}
		t.row(key, cell(textIf(there, now)), cell(d.Values[key]), note)
	}
	if err := t.flush(); err != nil {
		return err
	}
	switch {
	case d.Nodes == nil:
		w.line("which nodes that are the registry does not know")
	case d.Of == 0:
		w.line("no node is registered")
	case len(d.Nodes) == 0 && d.Of == 1:
		w.line("the one registered node does not have it")
	case len(d.Nodes) == 0:
		w.line("none of the %d registered nodes has it", d.Of)
	default:
		w.line("%s: %s", d.nodes(), strings.Join(d.Nodes, ", "))
	}
	return nil
}

func textIf(there bool, text string) *string {
	if !there {
		return nil
	}
	return &text
}
