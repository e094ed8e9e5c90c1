package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

func nodeCommand() *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag {
		return append(append(registryFlags(10*time.Second), outputFlag()), more...)
	}
	return &cli.Command{
		Name:  "node",
		Usage: "take a node out of the registry, and bring it back",
		Subcommands: []*cli.Command{
			{
				Name:      "pause",
				Usage:     "make a node leave the registry and stay out",
				ArgsUsage: "SERVICE NODE",
				Description: `Asks the node to deregister and to stay out until it is resumed, also if it is
started again under the same id; its process goes on and answers whoever knows
its address. Waits until the node has left. NODE is its id, or a part of it, from
the beginning or to the end, that fits no other.

   micro node pause greeter greeter-8f1c --reason "disk full"
   micro node resume greeter greeter-8f1c`,
				Flags:  flags(&cli.StringFlag{Name: "reason", Usage: "tell others `WHY`"}),
				Before: arguments(2, 2),
				Action: withRegistry(pauseNode),
			},
			{
				Name:      "resume",
				Usage:     "let a paused node come back",
				ArgsUsage: "SERVICE NODE",
				Description: `Takes a pause back and waits until the node is registered again. NODE is its id,
or a part of it, from the beginning or to the end, that fits no other.

   micro node resume greeter greeter-8f1c`,
				Flags:  flags(),
				Before: arguments(2, 2),
				Action: withRegistry(resumeNode),
			},
		},
	}
}

// nodes are the nodes of a service, registered and paused.
type nodes struct {
	service    string
	registered []*registry.Node
	paused     []pause
}

func lookUpNodes(ctx context.Context, r registry.Registry, keys *pauses, service string) (nodes, error) {
	all := nodes{service: service}
	versions, err := r.GetService(service, registry.GetContext(ctx))
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return all, err
	}
	for _, v := range versions {
		all.registered = append(all.registered, v.Nodes...)
	}
	all.paused, err = keys.of(ctx, service)
	return all, err
}

// find returns the id of the one node that is meant.
func (n nodes) find(given string) (string, error) {
	var ids []string
	for _, node := range n.registered {
		ids = append(ids, node.Id)
	}
	for _, id := range idsOf(n.paused) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if slices.Contains(ids, given) {
		return given, nil
	}
	var meant []string
	for _, id := range ids {
		own := strings.TrimPrefix(id, n.service+"-")
		if strings.HasPrefix(id, given) || strings.HasSuffix(id, given) || strings.HasPrefix(own, given) {
			meant = append(meant, id)
		}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(meant) > 1:
		return "", fmt.Errorf("find node %q of %q: it could be each of %s, give more of the id", given, n.service, strings.Join(meant, ", "))
	case len(ids) == 0:
		return "", fmt.Errorf("find node %q of %q: the service has no node, `micro list services` shows those that have", given, n.service)
	}
	return "", fmt.Errorf("find node %q of %q: there is none, choose one of %s", given, n.service, strings.Join(ids, ", "))
}

// isPaused returns the pause of the node.
func (n nodes) isPaused(id string) (pause, bool) {
	i := slices.IndexFunc(n.paused, func(p pause) bool { return p.Node == id })
	if i < 0 {
		return pause{}, false
	}
	return n.paused[i], true
}

// node returns the registered node, nil if it is not registered.
func (n nodes) node(id string) *registry.Node {
	i := slices.IndexFunc(n.registered, func(n *registry.Node) bool { return n.Id == id })
	if i < 0 {
		return nil
	}
	return n.registered[i]
}

func pauseNode(c *cli.Context, p registryTarget, r registry.Registry) error {
	return onNode(c, p, r, func(ctx context.Context, keys *pauses, all nodes, id string) (nodeResult, error) {
		node := all.node(id)
		if before, paused := all.isPaused(id); paused && node == nil {
			return nodeResult{Node: id, State: "paused", Note: fmt.Sprintf("was paused already, by %s at %s", before.By, before.At)}, nil
		}
		if _, ours := node.Metadata[record.Mark]; !ours {
			return nodeResult{}, fmt.Errorf("pause node %q: it is a node of go-micro v2, which does not listen; stop its process instead", id)
		}
		begun := time.Now()
		if err := keys.set(ctx, all.service, newPause(id, c.String("reason"), begun)); err != nil {
			return nodeResult{}, p.explain(err)
		}
		switch err := keys.await(ctx, all.service, id, false); {
		case errors.Is(err, errNotYet):
			return nodeResult{}, fmt.Errorf("pause node %q: it has not left the registry within %s; it will when it hears of it, `micro node resume %s %s` takes the pause back", id, p.timeout, all.service, id)
		case err != nil:
			return nodeResult{}, p.explain(err)
		}
		return nodeResult{Node: id, State: "paused", Note: "left the registry", TookMS: took(begun)}, nil
	})
}

func resumeNode(c *cli.Context, p registryTarget, r registry.Registry) error {
	return onNode(c, p, r, func(ctx context.Context, keys *pauses, all nodes, id string) (nodeResult, error) {
		if _, paused := all.isPaused(id); !paused {
			return nodeResult{Node: id, State: "registered", Note: "was not paused"}, nil
		}
		begun := time.Now()
		if err := keys.clear(ctx, all.service, id); err != nil {
			return nodeResult{}, p.explain(err)
		}
		switch err := keys.await(ctx, all.service, id, true); {
		case errors.Is(err, errNotYet):
			return nodeResult{}, fmt.Errorf("resume node %q: the pause is taken back, but the node has not registered within %s; is its process running?", id, p.timeout)
		case err != nil:
			return nodeResult{}, p.explain(err)
		}
		return nodeResult{Node: id, State: "registered", Note: "is registered again", TookMS: took(begun)}, nil
	})
}

// nodeResult is what became of a node.
type nodeResult struct {
	Node   string `json:"node"`
	State  string `json:"state"`   // paused or registered
	Note   string `json:"note"`    // in words
	TookMS int64  `json:"took_ms"` // from the order until it was seen; 0 if nothing was to do
}

// onNode finds the node that the arguments name, calls f within the timeout and
// prints what f returns.
func onNode(c *cli.Context, p registryTarget, r registry.Registry, f func(context.Context, *pauses, nodes, string) (nodeResult, error)) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, p.timeout)
	defer cancel()
	keys, err := openPauses(p)
	if err != nil {
		return err
	}
	defer keys.close()
	all, err := lookUpNodes(ctx, r, keys, c.Args().Get(0))
	if err != nil {
		return p.explain(err)
	}
	id, err := all.find(c.Args().Get(1))
	if err != nil {
		return err
	}
	m, err := f(ctx, keys, all, id)
	if c.Context.Err() != nil {
		return fmt.Errorf("%s node %q: interrupted, `micro get service %s` shows where it stands", c.Command.Name, id, all.service)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, m)
	}
	after := ""
	if m.TookMS > 0 {
		after = fmt.Sprintf(" after %d ms", m.TookMS)
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s %s%s\n", m.Node, m.Note, after)
	return err
}

// took is the time since then in milliseconds, rounded up.
func took(begun time.Time) int64 { return time.Since(begun).Milliseconds() + 1 }
