package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/cmd/micro/demo"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/registry"
)

// startRegistry sees to it that there is a registry without our service.
func (d *demoRound) startRegistry(ctx context.Context, c *cli.Context) error {
	if d.target.ownEtcd() {
		addr, version, err := d.startEtcd(ctx)
		if err != nil {
			return err
		}
		d.target = registryTarget{members: []member{{kind: "etcd", Settings: registryflags.Settings{Addrs: []string{addr}}}}, timeout: d.target.timeout, chosen: true}
		for _, name := range registryflags.Names() {
			d.env = append(d.env, registryflags.Variable(name)+"=") // what is for another etcd
		}
		d.env = append(d.env, "MICRO_REGISTRY=etcd", registryflags.Variable(registryflags.Address)+"="+addr)
		d.tell("The registry: etcd %s runs on %s.", version, addr)
	} else {
		for _, f := range registryFlags(0) {
			if name := f.Names()[0]; c.String(name) != "" && name != "timeout" {
				d.env = append(d.env, registryflags.Variable(name)+"="+c.String(name))
			}
		}
		// Nobody on the networks of this host is to see the demo.
		d.env = append(d.env, registryflags.Variable(loopbackName)+"=true")
		for i := range d.target.members {
			d.target.members[i].loopback = true
		}
		if err := d.target.reach(ctx); err != nil {
			return err
		}
		if d.target.String() == "mdns" {
			d.tell("There is no registry: processes find one another by multicast DNS, here on this host alone.")
		} else {
			d.tell("The registry is %s.", d.target)
		}
	}
	return d.target.use(func(r registry.Registry) error {
		_, err := r.GetService(demo.Name, registry.GetContext(ctx))
		switch {
		case errors.Is(err, registry.ErrNotFound):
			return nil
		case err == nil:
			return fmt.Errorf("%q is registered in %s already: end that demo first, or use another registry", demo.Name, d.target)
		}
		return err
	})
}

// ownEtcd reports whether the demo is to run an etcd of its own: nobody said that
// another registry is wanted, or where one is.
func (p registryTarget) ownEtcd() bool {
	return (!p.chosen || len(p.members) == 1 && p.members[0].kind == "etcd") && p.members[0].Addrs == nil
}

// startEtcd runs `micro server` on a free port, on data that goes away with it.
func (d *demoRound) startEtcd(ctx context.Context) (addr, version string, err error) {
	dir, err := os.MkdirTemp("", "micro-demo-")
	if err != nil {
		return "", "", err
	}
	d.after = append(d.after, func() {
		// What cannot be removed is in the system's place for such things.
		_ = os.RemoveAll(dir)
	})
	p, err := d.start(ctx, "server", "--unsafe_fast", "--address=127.0.0.1:0", "--data_dir="+filepath.Join(dir, "data"))
	if err != nil {
		return "", "", err
	}
	line, err := p.Line(ctx)
	if err != nil {
		return "", "", err
	}
	if _, err := fmt.Sscanf(line, "etcd %s ready on %s", &version, &addr); err != nil {
		return "", "", fmt.Errorf("read %q: it does not say where etcd is: %w", line, err)
	}
	return strings.TrimSuffix(addr, ","), version, nil
}

// startService starts the first node and shows its output and its record.
func (d *demoRound) startService(ctx context.Context, _ *cli.Context) error {
	d.tell("A service starts:")
	if err := d.startNode(ctx, 0, d.out); err != nil {
		return err
	}
	if len(d.target.members) == 1 && d.target.members[0].kind == "etcd" {
		return d.showKey(ctx, d.target.members[0])
	}
	return d.target.use(func(r registry.Registry) error {
		if err := operate.Await(ctx, r, demo.Name, d.ids[0], true); err != nil {
			return err
		}
		versions, err := r.GetService(demo.Name, registry.GetContext(ctx))
		if err != nil {
			return err
		}
		record, err := json.Marshal(versions[0])
		if err != nil {
			return err
		}
		d.tell("Who asks %s for %q gets this:", d.target, demo.Name)
		_, err = fmt.Fprintf(d.out, "    %s\n", record)
		return err
	})
}

// showKey shows what stands in etcd.
func (d *demoRound) showKey(ctx context.Context, m member) error {
	conn := etcd.Open(m.Config(d.target.timeout))
	defer conn.Close()
	key := m.Layout.Node(demo.Name, d.ids[0])
	return conn.Do(ctx, "read "+key, func(ctx context.Context, c *clientv3.Client) error {
		answer, err := c.Get(ctx, key)
		if err != nil {
			return err
		}
		if len(answer.Kvs) == 0 {
			return fmt.Errorf("there is no key %q", key)
		}
		d.tell("etcd has a key for it, with this value:")
		_, err = fmt.Fprintf(d.out, "    %s\n    %s\n", key, answer.Kvs[0].Value)
		return err
	})
}

// startNode starts a node and returns when it is registered. What it logs until
// then is written to out.
func (d *demoRound) startNode(ctx context.Context, i int, out io.Writer) error {
	p, err := d.start(ctx, "demo-service")
	if err != nil {
		return err
	}
	d.nodes[i] = p
	for {
		line, err := p.Line(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "    %s\n", line)
		if _, id, ok := strings.Cut(line, "Registering node: "); ok {
			d.ids[i] = id
			return nil
		}
	}
}

// callByName has another program call the service.
func (d *demoRound) callByName(ctx context.Context, _ *cli.Context) error {
	var err error
	if d.client, err = d.start(ctx, "demo-client"); err != nil {
		return err
	}
	rep, err := d.calls(ctx, "1")
	if err != nil {
		return err
	}
	answer, err := json.Marshal(rep.Answer)
	if err != nil {
		return err
	}
	d.tell("A program that only calls asks %q for %s:", demo.Name, demo.Endpoint)
	_, err = fmt.Fprintf(d.out, "    %s  ->  %s\n", `{"name":"John"}`, answer)
	return err
}

// startSecond starts another node and shows that the client uses it.
func (d *demoRound) startSecond(ctx context.Context, _ *cli.Context) error {
	if err := d.startNode(ctx, 1, io.Discard); err != nil {
		return err
	}
	for { // it hears of the node a moment later
		rep, err := d.calls(ctx, strconv.Itoa(demo.Callers))
		if err != nil {
			return err
		}
		if len(rep.Nodes) == 2 {
			break
		}
	}
	rep, err := d.calls(ctx, "1000")
	if err != nil {
		return err
	}
	d.tell("A second node starts. The same client makes %d calls:", rep.Calls)
	return d.show(rep)
}

// stopFirst stops a node in the midst of calls.
func (d *demoRound) stopFirst(ctx context.Context, _ *cli.Context) error {
	rep, err := d.calls(ctx, "on")
	if err != nil {
		return err
	}
	if err := d.nodes[0].End(); err != nil {
		return fmt.Errorf("stop node %q: %w", d.ids[0], err)
	}
	rest, err := d.calls(ctx, "off")
	if err != nil {
		return err
	}
	rep.Add(rest)
	d.tell("The first node stops, while the client calls without pause: %d calls, %d failed:", rep.Calls, rep.Failed)
	return d.show(rep)
}

// calls gives the client an order and returns its report, an error if a call
// failed.
func (d *demoRound) calls(ctx context.Context, order string) (demo.Report, error) {
	var rep demo.Report
	if err := d.client.Tell(order); err != nil {
		return rep, err
	}
	line, err := d.client.Line(ctx)
	if err != nil {
		return rep, err
	}
	if err := json.Unmarshal([]byte(line), &rep); err != nil {
		return rep, fmt.Errorf("read the client's report %q: %w", line, err)
	}
	if rep.Failed > 0 {
		return rep, fmt.Errorf("%d of %d calls failed: %s", rep.Failed, rep.Calls, rep.Error)
	}
	return rep, nil
}

// show prints which nodes answered how often.
func (d *demoRound) show(rep demo.Report) error {
	t := newTable(d.out, "    ", "NODE", "ANSWERS")
	for _, id := range d.ids {
		t.row(id, strconv.Itoa(rep.Nodes[id]))
	}
	return t.flush()
}
