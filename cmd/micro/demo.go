package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/cmd/micro/demo"
)

// demoTimeout bounds the round, without the wait for Ctrl-C.
const demoTimeout = time.Minute

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show a service being registered and called by its name",
		Description: `Starts an etcd, two nodes of a service and a program that only calls, each in a
process of its own, and shows what they do and what stands in etcd. Then it waits
for Ctrl-C, so that the other commands can be tried on it. All that it started and
wrote goes away with it.

With --registry_address it uses that etcd in place of its own, and with another
--registry than etcd no etcd at all: mdns needs nothing but this host.

   micro demo
   micro demo --registry=mdns
   micro demo --once --registry=etcd --registry_address=10.0.0.1:2379
   micro demo --once --registry=consul`,
		Flags: append(registryFlags(5*time.Second),
			&cli.BoolFlag{Name: "once", Usage: "end after the round, without waiting for Ctrl-C", DisableDefaultText: true}),
		Before: arguments(0, 0),
		Action: runDemo,
	}
}

// demoRound is one round of the demo.
type demoRound struct {
	out    io.Writer
	target registryTarget
	env    []string // tells the children where the registry is
	begun  time.Time
	client *demo.Process
	nodes  [2]*demo.Process
	ids    [2]string
	after  []func() // ends what was started, the last first
}

func runDemo(c *cli.Context) error {
	p, err := targetOf(c)
	if err != nil {
		return err
	}
	d := &demoRound{out: c.App.Writer, target: p, begun: time.Now()}
	defer d.cleanUp()
	ctx, cancel := context.WithTimeoutCause(c.Context, demoTimeout, fmt.Errorf("it took longer than %s", demoTimeout))
	defer cancel()
	for _, step := range []func(context.Context, *cli.Context) error{
		d.startRegistry, d.startService, d.callByName, d.startSecond, d.stopFirst,
	} {
		if err := step(ctx, c); err != nil {
			if c.Context.Err() != nil {
				return errors.New("demo: interrupted")
			}
			return fmt.Errorf("demo: %w", err)
		}
	}
	d.tell("That was all, without a failed call.")
	if c.Bool("once") {
		return nil
	}
	d.offer()
	<-c.Context.Done()
	return nil
}

// offer names commands to try while the demo waits.
func (d *demoRound) offer() {
	at := d.target.flags()
	me := invocation()
	fmt.Fprintf(d.out, `
One node and the registry go on until Ctrl-C. Try, in another terminal:

    %s list services%s
    %s call %s %s '{"name":"you"}'%s
    %s watch %s%s
`, me, at, me, demo.Name, demo.Endpoint, at, me, demo.Name, at)
}

// invocation is how this program was called.
func invocation() string {
	if self, err := os.Executable(); err == nil && strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/micro"
	}
	return os.Args[0]
}

// start starts a child that ends with the demo.
func (d *demoRound) start(ctx context.Context, args ...string) (*demo.Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if args[0] != "demo-client" { // whose standard input is its orders
		args = append([]string{"--" + childName}, args...)
	}
	p, err := demo.Start(d.env, args...)
	if err != nil {
		return nil, err
	}
	d.after = append(d.after, func() {
		// How it ends is of no interest any more.
		_ = p.End()
	})
	return p, nil
}

// tell prints a line of the story with the time since it began.
func (d *demoRound) tell(format string, args ...any) {
	fmt.Fprintf(d.out, "\n%.2f s  %s\n", time.Since(d.begun).Seconds(), fmt.Sprintf(format, args...))
}

// cleanUp ends the children, the nodes at the same time, and removes the data.
func (d *demoRound) cleanUp() {
	var wg sync.WaitGroup
	for _, p := range d.nodes {
		if p != nil {
			wg.Go(func() { _ = p.End() })
		}
	}
	wg.Wait()
	for i := len(d.after) - 1; i >= 0; i-- {
		d.after[i]()
	}
}
