// Command bench measures Rollcall beside what it is built on, grpc-go and etcd's
// client, and prints tables in Markdown. README.md says how to read them.
//
//	go run -C bench . unary -for 400ms -rounds 7
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// measurements are what can be asked for, in the order in which "all" makes them.
var measurements = []struct {
	name, about string
	run         func(*run) error
}{
	{"unary", "calls by name against grpc-go with the same deadline and metadata", unary},
	{"streams", "messages of bidirectional streams against grpc-go", streams},
	{"fanout", "100 nodes of one service, and 50 services, against round_robin over etcd's resolver", fanout},
	{"web", "requests over HTTP against net/http", web},
	{"lookup", "lookups of a service that is known", lookup},
	{"memory", "bytes for each of the nodes that a client knows", memory},
	{"change", "what one change of one node among many costs a client", change},
	{"size", "a small service: its binary, and the modules in its go.mod", size},
}

// run is one run of the command: its settings, and the processes that it started.
type run struct {
	ctx    context.Context
	each   time.Duration // how long one cell is measured
	rounds int           // how often each cell is measured
	nodes  int           // of memory; change takes a fifth of them
	short  bool          // small cells only
	etcd   string        // its address, empty until somebody needs it
	dir    string        // of the run's own, removed at its end
	parts  []*part
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == partCommand {
		if err := servePart(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command runs the measurements that the arguments name.
func command(args []string) error {
	what := "all"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		what, args = args[0], args[1:]
	}
	r := &run{}
	flags := flag.NewFlagSet("bench "+what, flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench [all or one of these] [flags]")
		for _, m := range measurements {
			fmt.Fprintf(flags.Output(), "  %-9s %s\n", m.name, m.about)
		}
		flags.PrintDefaults()
	}
	flags.DurationVar(&r.each, "for", 250*time.Millisecond, "how long one cell is measured")
	flags.IntVar(&r.rounds, "rounds", 3, "how often each cell is measured; the median counts")
	flags.IntVar(&r.nodes, "nodes", 10_000, "nodes of memory; change takes a fifth of them")
	flags.BoolVar(&r.short, "short", false, "measure small messages, few calls at a time and few nodes only")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if r.each < time.Millisecond || r.rounds < 1 || r.nodes < 2 {
		return errors.New("measure: want -for of 1ms at least, -rounds of 1 at least and -nodes of 2 at least")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r.ctx = ctx
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	r.dir = dir
	defer os.RemoveAll(dir)
	defer r.stopParts()
	known := false
	for _, m := range measurements {
		if what != "all" && what != m.name {
			continue
		}
		known = true
		fmt.Printf("\n### %s: %s\n\n", m.name, m.about)
		if err := m.run(r); err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
		r.stopParts()
	}
	if !known {
		return fmt.Errorf("measure %q: there is no such measurement; bench -h lists them", what)
	}
	return nil
}
