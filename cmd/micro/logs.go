package main

import (
	"cmp"
	"context"
	stderrors "errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	debug "github.com/rollcall-go/micro/debug/service/proto"
)

func logsCommand() *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Usage:     "ask each node of a service for what it logged",
		ArgsUsage: "SERVICE",
		Description: `Calls Debug.Log of each node and prints the newest lines that it has kept in memory, at
most 1024 of them, in the order of their times. With --follow it goes on with those to come until
it is interrupted; nodes of go-micro v2 have none for it. With -o json each is an
object on a line of its own.

   micro logs greeter
   micro logs greeter --since 10m
   micro logs greeter --follow -o json`,
		Flags: askFlags(
			&cli.IntFlag{Name: "lines", Value: 100, Usage: "ask each node for `N` lines at most"},
			&cli.DurationFlag{Name: "since", Usage: "leave out lines older than `DURATION`, such as 10m", DefaultText: "all that are kept"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with the lines to come"},
		),
		Before: arguments(1, 1),
		Action: asking(logs),
	}
}

// logged is a line of a node's log.
type logged struct {
	Time     time.Time         `json:"time"`
	Node     string            `json:"node"`
	Metadata map[string]string `json:"metadata"`
	Message  string            `json:"message"`
}

func logs(a *asker) error {
	lines := a.Int("lines")
	if lines <= 0 {
		return usagef("invalid value %q for \"--lines\": give a number above zero", a.String("lines"))
	}
	req := &debug.LogRequest{Count: int64(lines)}
	if since := a.Duration("since"); since > 0 {
		// Of those since then, a node would send the oldest.
		req.Count, req.Since = 0, time.Now().Add(-since).Unix()
	}
	if a.Bool("follow") {
		return a.follow()
	}
	var mu sync.Mutex
	var all []logged
	a.bounded(func(ctx context.Context, i int, to client.CallOption) error {
		var own []logged
		err := a.read(ctx, i, req, to, func(l logged) error {
			own = append(own, l)
			return nil
		})
		mu.Lock()
		defer mu.Unlock()
		all = append(all, own[max(0, len(own)-lines):]...)
		return err
	})
	slices.SortStableFunc(all, func(x, y logged) int { return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Node, y.Node)) })
	for _, l := range all {
		if err := a.print(l); err != nil {
			return err
		}
	}
	return a.tell()
}

// follow prints the lines to come of all nodes.
func (a *asker) follow() error {
	ctx := a.Context.Context
	stderr(a.Context).note("following %q in %s, Ctrl-C ends", a.Args().First(), a.target)
	var mu sync.Mutex
	a.each(ctx, func(ctx context.Context, i int, to client.CallOption) error {
		err := a.read(ctx, i, &debug.LogRequest{Stream: true}, to, func(l logged) error {
			mu.Lock()
			defer mu.Unlock()
			return a.print(l)
		})
		if ctx.Err() != nil {
			return nil // interrupted
		}
		if err == nil {
			stderr(a.Context).note("node %s sends no more", a.nodes[i].Node)
		}
		return err
	})
	return a.tell()
}

// read hands the lines of the i-th node to take.
func (a *asker) read(ctx context.Context, i int, req *debug.LogRequest, to client.CallOption, take func(logged) error) error {
	in, err := a.debug.Log(ctx, req, to)
	if err != nil {
		return err
	}
	defer in.Close()
	for {
		r, err := in.Recv()
		switch {
		case stderrors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := take(logged{time.Unix(r.GetTimestamp(), 0), a.nodes[i].Node, r.GetMetadata(), r.GetMessage()}); err != nil {
			return err
		}
	}
}

func (a *asker) print(l logged) error {
	if wantsJSON(a.Context) {
		return writeJSON(stdout(a.Context), l, "")
	}
	line := l.Time.Format("2006-01-02 15:04:05") + "  " + l.Node
	if len(l.Metadata) > 0 {
		line += "  " + pairs(l.Metadata)
	}
	stdout(a.Context).line("%s  %s", line, l.Message)
	return nil
}

// tell says of each node that gave no answer why.
func (a *asker) tell() error {
	for _, n := range a.nodes {
		if n.Error != "" {
			stderr(a.Context).note("node %s at %s: %s", n.Node, n.Address, n.Error)
		}
	}
	return nil
}
