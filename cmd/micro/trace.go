package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	debug "github.com/rollcall-go/micro/debug/service/proto"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "ask each node of a service for the calls that it traced",
		ArgsUsage: "SERVICE [TRACE]",
		Description: `Calls Debug.Trace of each node, those of go-micro v2 as well, and prints the spans that it
has kept, at most 256, of one trace or of all. What a call was made for stands above it, if a node of
the service kept that. A service traces calls that are part of a trace already, and with
--tracer or micro.Tracer all of them.

   micro trace greeter
   micro trace greeter 58e0c181-c2bf-4120-b789-812682a7d176 -o json`,
		Flags:  askFlags(),
		Before: arguments(1, 2),
		Action: asking(traces),
	}
}

// spanValue is a span as trace shows it.
type spanValue struct {
	Trace    string            `json:"trace"`
	ID       string            `json:"id"`
	Parent   string            `json:"parent"`
	Name     string            `json:"name"`
	Kind     string            `json:"kind"` // inbound or outbound
	Started  time.Time         `json:"started"`
	Duration time.Duration     `json:"duration_ns"`
	Node     string            `json:"node"`
	Metadata map[string]string `json:"metadata"`
}

type spanValues []spanValue

var _ result = spanValues{}

func traces(a *asker) error {
	var mu sync.Mutex
	all := spanValues{}
	seen := map[string]bool{} // nodes of one process keep the same spans
	a.bounded(func(ctx context.Context, i int, to client.CallOption) error {
		rsp, err := a.debug.Trace(ctx, &debug.TraceRequest{Id: a.Args().Get(1)}, to)
		mu.Lock()
		defer mu.Unlock()
		for _, s := range rsp.GetSpans() {
			// Nodes of v2 send those of all traces, whatever they are asked.
			if id := a.Args().Get(1); id != "" && s.GetTrace() != id || seen[s.GetId()] {
				continue
			}
			seen[s.GetId()] = true
			all = append(all, spanValue{s.GetTrace(), s.GetId(), s.GetParent(), s.GetName(), strings.ToLower(s.GetType().String()),
				time.Unix(0, int64(s.GetStarted())), time.Duration(s.GetDuration()), a.nodes[i].Node, s.GetMetadata()})
		}
		return err
	})
	slices.SortStableFunc(all, func(x, y spanValue) int { return cmp.Or(x.Started.Compare(y.Started), cmp.Compare(x.ID, y.ID)) })
	if err := show(a.Context, all); err != nil {
		return err
	}
	return a.tell()
}

func (s spanValues) value() any { return s }

// table prints each trace as a tree.
func (s spanValues) table(w screen) error {
	below := tree{}
	here := map[string]bool{}
	for _, one := range s {
		here[one.ID] = true
	}
	var traces []string
	for _, one := range s {
		parent := one.Parent
		if !here[parent] || parent == one.ID {
			parent = "of " + one.Trace // which is no id
		}
		below[parent] = append(below[parent], one)
		if !slices.Contains(traces, one.Trace) {
			traces = append(traces, one.Trace)
		}
	}
	t := newTable(w, "", "SPAN", "KIND", "STARTED", "TOOK", "NODE", "ERROR")
	for _, trace := range traces {
		t.row("trace "+trace, " ", " ", " ", " ", " ")
		below.rows(t, "of "+trace, "  ")
	}
	// Spans that are said to be part of one another.
	for len(below) > 0 {
		below.rows(t, slices.Min(slices.Collect(maps.Keys(below))), "  ")
	}
	return t.flush()
}

// tree has spans by what they are part of.
type tree map[string]spanValues

// rows adds the spans below one, and takes them out of the tree: nothing is printed twice,
// whatever a node says of its parents.
func (b tree) rows(t *table, of, indent string) {
	spans := b[of]
	delete(b, of)
	for _, s := range spans {
		t.row(indent+s.Name, s.Kind, s.Started.Format("15:04:05.000"), s.Duration.Round(time.Microsecond).String(), s.Node, s.Metadata["error"])
		b.rows(t, s.ID, indent+"  ")
	}
}
