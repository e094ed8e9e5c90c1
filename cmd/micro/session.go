package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/urfave/cli/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// defaultKind is the registry that is looked into when nobody says which: that of
// services to whom nobody says.
const defaultKind = "mdns"

// session is what a command works with: its command line, and the registry that
// the flags name.
type session struct {
	*cli.Context
	target   registryTarget
	registry registry.Registry
	operator operate.Operator
}

// withRegistry wraps an action that needs a registry. In front of a table on a
// terminal it says which registry that is, if nobody said.
func withRegistry(action func(*session) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		p, err := targetOf(c)
		if err != nil {
			return err
		}
		if err := p.reach(c.Context); err != nil {
			return p.explain(err)
		}
		if !p.addressed() && stdout(c).isTerminal() {
			stderr(c).faint("no %s given: %s", p.lacks(), p)
		}
		// Standard output is for what was asked for.
		if err := logger.Init(logger.WithOutput(c.App.ErrWriter)); err != nil {
			return fmt.Errorf("set the log up: %w", err)
		}
		return p.explain(p.open(c, action))
	}
}

// open calls f with a session, open for that long.
func (p registryTarget) open(c *cli.Context, f func(*session) error) error {
	operator, end := p.operator()
	err := p.use(func(r registry.Registry) error {
		return f(&session{Context: c, target: p, registry: r, operator: operator})
	})
	return errors.Join(err, end())
}

// use calls f with the registry, open for that long.
func (p registryTarget) use(f func(registry.Registry) error) error {
	r := p.new()
	return errors.Join(f(r), closeRegistry(r))
}

// operator returns what operates the registry, and ends it.
func (p registryTarget) operator() (o operate.Operator, end func() error) {
	var all []operate.Operator
	var ends []func() error
	for _, m := range p.members {
		one, end := m.operator(p)
		all, ends = append(all, one), append(ends, end)
	}
	end = func() (err error) {
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return err
	}
	if len(all) == 1 {
		return all[0], end
	}
	return operate.Several(all...), end
}

func (m member) operator(p registryTarget) (o operate.Operator, end func() error) {
	if m.kind == "etcd" {
		conn := etcd.Open(m.Config(p.timeout))
		return operate.Etcd(conn, m.Layout), conn.Close
	}
	if m.kind == "consul" {
		client := consul.Open(m.Consul(p.timeout))
		return operate.Consul(client), func() error { client.Close(); return nil }
	}
	r := m.new(p.timeout)
	return operate.Unable(r,
		m.kind+" has no place where a pause could stand; stop the node's process instead, or use a registry that has one: etcd or consul",
		"in "+m.kind+" each process answers for itself, and a node goes when its process does, or when its time to live ends"), func() error { return closeRegistry(r) }
}

// addressed reports whether somebody said which registry it is.
func (p registryTarget) addressed() bool {
	if len(p.members) != 1 {
		return p.chosen
	}
	return p.members[0].Addrs != nil || p.chosen && !p.members[0].takesAddress()
}

// lacks names the flag that would say which registry it is.
func (p registryTarget) lacks() string {
	if p.chosen {
		return "--registry_address"
	}
	return "--registry"
}

// explain says, where nobody chose a registry and another one may be meant, which one
// it was that failed, and where a user is refused, who knows more.
func (p registryTarget) explain(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; `micro doctor` shows what is missing, and how to mend it", err)
	}
	if p.addressed() || len(p.members) != 1 || !elsewhere(err) {
		return err
	}
	switch p.members[0].kind {
	case "etcd":
		return fmt.Errorf("%w; no --registry_address was given: name your etcd, or start one with `micro server`", err)
	case "consul":
		return fmt.Errorf("%w; no --registry_address was given: name an agent of Consul", err)
	}
	return err
}

// elsewhere reports whether a registry at another address might do better: this one
// cannot be reached, or lacks what was looked for. One that refuses us is the one.
func elsewhere(err error) bool {
	var network net.Error
	switch {
	case err == nil, errors.Is(err, fs.ErrPermission):
		return false
	case errors.Is(err, registry.ErrNotFound), etcd.TimedOut(err), errors.As(err, &network):
		return true
	}
	return status.Code(err) == codes.Unavailable
}

// reach returns an error if the only registry cannot be connected to. A library waits
// for a registry that is away; a person wants to hear of it at once. Where there are
// several registries, the others answer.
func (p registryTarget) reach(ctx context.Context) error {
	if len(p.members) != 1 {
		return nil
	}
	switch p.members[0].kind {
	case "etcd":
		return p.reachEtcd(ctx)
	case "consul":
		return p.reachConsul(ctx)
	}
	return nil
}

// reachConsul asks the agents something, within the timeout. Whatever they answer, they
// can be reached.
func (p registryTarget) reachConsul(ctx context.Context) error {
	client := consul.Open(p.members[0].Consul(p.timeout))
	defer client.Close()
	_, err := client.Leader(ctx)
	if network := net.Error(nil); errors.As(err, &network) {
		return fmt.Errorf("connect to %s: %w", p, err)
	}
	return nil
}

// reachEtcd returns an error if none of the addresses can be connected to.
func (p registryTarget) reachEtcd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn := etcd.Open(p.members[0].Config(p.timeout))
	addrs := conn.Addrs()
	results := make(chan error, len(addrs))
	for _, addr := range addrs {
		go func() {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err == nil {
				err = c.Close()
			}
			results <- err
		}()
	}
	err := conn.Close()
	for range addrs {
		one := <-results
		if one == nil {
			return nil // the others end with ctx
		}
		err = errors.Join(err, one)
	}
	return fmt.Errorf("connect to %s: %w", p, err)
}
