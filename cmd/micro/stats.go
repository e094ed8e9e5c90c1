package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	debug "github.com/rollcall-go/micro/debug/service/proto"
)

func statsCommand() *cli.Command {
	return &cli.Command{
		Name:      "stats",
		Usage:     "ask each node of a service what it has served and what it takes",
		ArgsUsage: "SERVICE",
		Description: `Calls Debug.Stats of each node, those of go-micro v2 as well, and prints since when
its process counts, its memory and goroutines, how long garbage collection has held it
up in all, and how many requests it served and how many of them failed. The exit code is 1 if
one does not answer within --timeout.

   micro stats greeter
   micro stats greeter -o json`,
		Flags:  askFlags(),
		Before: arguments(1, 1),
		Action: asking(stats),
	}
}

// statsNode is a node as stats shows it.
type statsNode struct {
	askedNode
	Started    int64  `json:"started"` // seconds since 1970
	Uptime     uint64 `json:"uptime_s"`
	Memory     uint64 `json:"memory_bytes"`
	Goroutines uint64 `json:"goroutines"`
	GC         uint64 `json:"gc_ns"`
	Requests   uint64 `json:"requests"`
	Errors     uint64 `json:"errors"`
}

type statsNodes []statsNode

var _ result = statsNodes{}

func stats(a *asker) error {
	answers := make([]*debug.StatsResponse, len(a.nodes))
	a.bounded(func(ctx context.Context, i int, to client.CallOption) (err error) {
		answers[i], err = a.debug.Stats(ctx, &debug.StatsRequest{}, to)
		return err
	})
	all := statsNodes{}
	for i, n := range a.nodes {
		s := answers[i]
		all = append(all, statsNode{n, int64(s.GetStarted()), s.GetUptime(), s.GetMemory(), s.GetThreads(), s.GetGc(), s.GetRequests(), s.GetErrors()})
	}
	return show(a.Context, all)
}

func (s statsNodes) value() any { return s }

func (s statsNodes) table(w screen) error {
	t := newTable(w, "", "NODE", "ADDRESS", "STARTED", "UPTIME", "MEMORY", "GOROUTINES", "GC", "REQUESTS", "ERRORS")
	for _, n := range s {
		if n.Error != "" {
			t.row(n.Node, n.Address, n.Error)
			continue
		}
		t.row(n.Node, n.Address, time.Unix(n.Started, 0).Format("2006-01-02 15:04:05"), (time.Duration(n.Uptime) * time.Second).String(),
			fmt.Sprintf("%.1f MiB", float64(n.Memory)/(1<<20)), number(n.Goroutines), time.Duration(n.GC).Round(time.Microsecond).String(),
			number(n.Requests), number(n.Errors))
	}
	return t.flush()
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
