package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/doctor"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/registry"
)

func explainCallCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show what becomes of a call: to which nodes it may go, and by which settings",
		ArgsUsage: "SERVICE ENDPOINT",
		Description: `Shows the nodes of the service, which filter leaves which of them out and why, what
share of the calls the others get, and the settings of such a call with where each
comes from: a flag, its variable (the flag in capitals behind MICRO_), or the default. It
connects to each node, by TLS where a client would, and calls none.

The settings are those of a service that is started with the same flags and variables;
what its code says is not known here, nor what its connections have taught it. docs/BALANCING.md
has the filters in their order.

   micro explain greeter Greeter.Hello
   micro explain greeter Greeter.Hello --client_zone=a --client_balancer=leastloaded
   MICRO_CLIENT_ZONE=a micro explain greeter Greeter.Hello -o json`,
		Flags:  slices.Concat(registryFlags(5*time.Second), clientFlags(), []cli.Flag{outputFlag()}),
		Before: arguments(2, 2),
		Action: runExplain,
	}
}

// explained is what becomes of calls to one endpoint.
type explained struct {
	Service  string          `json:"service"`
	Endpoint string          `json:"endpoint"`
	Registry string          `json:"registry"`
	Nodes    []explainedNode `json:"nodes"`
	Settings []setting       `json:"settings"`
	Notes    []string        `json:"notes"`
}

type explainedNode struct {
	ID      string  `json:"id"`
	Address string  `json:"address"`
	Version string  `json:"version"`
	Zone    string  `json:"zone"`
	Weight  int     `json:"weight"`
	Share   float64 `json:"share_percent"`
	Filter  string  `json:"filter"` // that leaves it out; empty: it is called
	Why     string  `json:"why"`
}

var _ result = explained{}

// runExplain looks at the settings before it looks for a registry.
func runExplain(c *cli.Context) error {
	settings, policy, tls, err := settingsOf(c)
	if err != nil {
		return err
	}
	return withRegistry(func(s *session) error { return explainCall(s, settings, policy, tls) })(c)
}

func explainCall(s *session, settings []setting, policy balance.Policy, tls secure.Client) error {
	service, name, ctx := s.Args().Get(0), s.Args().Get(1), s.Context.Context
	versions, err := s.registry.GetService(service, registry.GetContext(ctx))
	if err != nil && !notThere(err) {
		return err
	}
	paused := s.pauses(service)
	if err != nil {
		return s.notFound(service, paused)
	}
	x := explained{Service: service, Endpoint: name, Registry: s.target.String(), Nodes: []explainedNode{}, Settings: settings, Notes: []string{}}
	if err := x.endpoint(versions); err != nil {
		return err
	}
	x.nodes(ctx, s.target.timeout, versions, policy, tls)
	x.paused(paused)
	x.note(policy)
	return show(s.Context, x)
}

// endpoint takes note of the versions that have not got the endpoint. If none has, it
// returns an error with what may have been meant.
func (x *explained) endpoint(versions []*registry.Service) error {
	var names, without []string
	silent := false // a version lists no endpoints, which says nothing
	for _, v := range versions {
		silent = silent || len(v.Endpoints) == 0
		found := false
		for _, e := range v.Endpoints {
			names = append(names, e.Name)
			found = found || e.Name == x.Endpoint
		}
		if !found {
			without = append(without, v.Version)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case len(without) == 0:
	case len(without) == len(versions) && !silent:
		text := fmt.Sprintf("explain a call to %q: no version of %q lists the endpoint", x.Endpoint, x.Service)
		if meant := suggest(x.Endpoint, names); len(meant) > 0 {
			return fmt.Errorf("%s; did you mean %s?", text, strings.Join(meant, " or "))
		}
		return fmt.Errorf("%s; it has %s", text, few(names))
	default:
		x.Notes = append(x.Notes, fmt.Sprintf("version %s does not list the endpoint, and is called all the same: selector.FilterEndpoint in the program keeps calls from it", few(without)))
	}
	return nil
}

// nodes takes in the nodes with what becomes of each.
func (x *explained) nodes(ctx context.Context, timeout time.Duration, versions []*registry.Service, policy balance.Policy, tls secure.Client) {
	var nodes []*registry.Node
	version := map[*registry.Node]string{}
	for _, v := range versions {
		for _, n := range v.Nodes {
			nodes = append(nodes, n)
			version[n] = v.Version
		}
	}
	reached := reach(ctx, min(timeout, 2*time.Second), nodes, x.Service, tls)
	secured := func(e endpoint.Endpoint) error { _, err := tls.Decide(e.TLS, e.Says); return err }
	for _, v := range pick.Explain(policy, nodes, secured, func(n *registry.Node) error { return reached[n] }) {
		x.Nodes = append(x.Nodes, explainedNode{
			ID: v.Node.Id, Address: v.Node.Address, Version: version[v.Node], Zone: v.Node.Metadata[record.Zone],
			Weight: v.Weight, Share: v.Share, Filter: v.Filter, Why: v.Why,
		})
	}
}

// atOnce is how many nodes are connected to at the same time.
const atOnce = 32

// reach connects to each node, by TLS where a client would, and returns what kept it from that.
func reach(ctx context.Context, timeout time.Duration, nodes []*registry.Node, service string, tls secure.Client) map[*registry.Node]error {
	errs := make([]error, len(nodes))
	room := make(chan struct{}, atOnce)
	security := secure.NewDialer(tls, nil)
	var wg sync.WaitGroup
	for i, n := range nodes {
		e, err := endpoint.OfNode(n)
		if err != nil {
			continue // which is another filter's
		}
		byTLS, err := tls.Decide(e.TLS, e.Says)
		if err != nil {
			continue // likewise
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			errs[i] = connect(ctx, timeout, security, secure.Node{Host: e.Host, Service: service, TLS: byTLS})
		})
	}
	wg.Wait()
	reached := make(map[*registry.Node]error, len(nodes))
	for i, n := range nodes {
		reached[n] = errs[i]
	}
	return reached
}

func connect(ctx context.Context, timeout time.Duration, security *secure.Dialer, to secure.Node) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", to.Host)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing was written that could be lost
	if !to.TLS {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(timeout))
	_, err = security.Try(ctx, to, c)
	return err
}

// paused takes in the nodes that an operator has taken out.
func (x *explained) paused(paused []operate.Pause) {
	for _, p := range paused {
		why := "`micro node resume " + doctor.Shell(p.Service) + " " + doctor.Shell(p.Node) + "` brings it back"
		if p.By != "" {
			why = "by " + p.By + "; " + why
		}
		x.Nodes = append(x.Nodes, explainedNode{ID: p.Node, Filter: "paused", Why: why})
	}
}

// note says what the table cannot.
func (x *explained) note(policy balance.Policy) {
	called := slices.ContainsFunc(x.Nodes, func(n explainedNode) bool { return n.Filter == "" })
	if !called {
		x.Notes = append(x.Notes, "no node is ready: calls try those that the zone or the ejection leaves out, and else fail")
	}
	if n := policy.SubsetOf(len(x.Nodes)); n < len(x.Nodes) {
		x.Notes = append(x.Notes, fmt.Sprintf("each client calls a subset of %d of the %d nodes, which chance decides; shares are those of all clients together", n, len(x.Nodes)))
	}
	if policy.Zone != "" && !slices.ContainsFunc(x.Nodes, func(n explainedNode) bool { return n.Zone == policy.Zone && n.Filter == "" }) {
		x.Notes = append(x.Notes, fmt.Sprintf("no healthy node is of the zone %q: calls go to all zones", policy.Zone))
	}
}

func (x explained) value() any { return x }

func (x explained) table(w screen) error {
	w.line("%s of %s, in %s", x.Endpoint, x.Service, x.Registry)
	t := newTable(w, "  ", "NODE", "ADDRESS", "VERSION", "ZONE", "WEIGHT", "SHARE", "LEFT OUT BY", "WHY")
	for _, n := range x.Nodes {
		share := ""
		if n.Filter == "" {
			share = strconv.FormatFloat(n.Share, 'f', 1, 64) + " %"
		}
		t.row(n.ID, n.Address, n.Version, n.Zone, strconv.Itoa(n.Weight), share, n.Filter, n.Why)
	}
	if err := t.flush(); err != nil {
		return err
	}
	w.line("")
	t = newTable(w, "  ", "SETTING", "VALUE", "SOURCE")
	for _, s := range x.Settings {
		t.row(s.Name, s.Value, s.Source)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, n := range x.Notes {
		w.line("note: %s", n)
	}
	return nil
}
