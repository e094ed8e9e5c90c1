package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	debug "github.com/rollcall-go/micro/debug/service/proto"
)

// well is what a node answers that is well.
const well = "ok"

func healthCommand() *cli.Command {
	return &cli.Command{
		Name:      "health",
		Usage:     "ask each node of a service whether it is well",
		ArgsUsage: "SERVICE",
		Description: `Calls Debug.Health of each node, those of go-micro v2 as well, and prints what it
answers. The exit code is 1 if one does not answer "ok" within --timeout.

   micro health greeter
   micro health greeter -o json`,
		Flags:  askFlags(),
		Before: arguments(1, 1),
		Action: asking(health),
	}
}

// healthNode is a node as health shows it.
type healthNode struct {
	askedNode
	Status string `json:"status"`
}

type healthNodes []healthNode

var _ result = healthNodes{}

func health(a *asker) error {
	status := make([]string, len(a.nodes))
	a.bounded(func(ctx context.Context, i int, to client.CallOption) error {
		rsp, err := a.debug.Health(ctx, &debug.HealthRequest{}, to)
		status[i] = rsp.GetStatus()
		return err
	})
	all := healthNodes{}
	for i := range a.nodes {
		n := &a.nodes[i]
		if n.Error == "" && status[i] != well {
			n.Error = "it says that it is not well"
		}
		all = append(all, healthNode{*n, status[i]})
	}
	return show(a.Context, all)
}

func (h healthNodes) value() any { return h }

func (h healthNodes) table(w screen) error {
	t := newTable(w, "", "NODE", "ADDRESS", "VERSION", "STATUS")
	for _, n := range h {
		t.row(n.Node, n.Address, n.Version, statusOf(n.Status, n.Error))
	}
	return t.flush()
}

// statusOf returns what a node said, and what is wrong with that.
func statusOf(said, wrong string) string {
	if said == "" || wrong == "" {
		return said + wrong
	}
	return said + ": " + wrong
}
