package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/urfave/cli/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	etcdreg "github.com/rollcall-go/micro/registry/etcd"
)

// session is what a command works with: its command line, and the registry that
// the flags name.
type session struct {
	*cli.Context
	target   registryTarget
	registry registry.Registry
	operator *operate.Operator
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
		if p.Addrs == nil && stdout(c).isTerminal() {
			stderr(c).faint("no --registry_address given: %s", p)
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
	conn := etcd.Open(p.config())
	err := p.use(func(r registry.Registry) error {
		return f(&session{Context: c, target: p, registry: r, operator: operate.New(conn, p.Layout)})
	})
	return errors.Join(err, conn.Close())
}

// use calls f with the registry, open for that long.
func (p registryTarget) use(f func(registry.Registry) error) error {
	r := etcdreg.NewRegistry(func(o *registry.Options) { *o = p.options() })
	err := f(r)
	if c, ok := r.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// String names the registry.
func (p registryTarget) String() string {
	if p.Addrs == nil {
		return "etcd at " + registryflags.DefaultAddress
	}
	return "etcd at " + strings.Join(p.Addrs, ", ")
}

// explain says, where nobody chose an etcd and another one may be meant, which one
// it was that failed, and where a user is refused, who knows more.
func (p registryTarget) explain(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; `micro doctor` shows what is missing, and how to mend it", err)
	}
	if p.Addrs != nil || !elsewhere(err) {
		return err
	}
	return fmt.Errorf("%w; no --registry_address was given: name your etcd, or start one with `micro server`", err)
}

// elsewhere reports whether an etcd at another address might do better: this one
// cannot be reached, or lacks what was looked for. An etcd that refuses us is the
// one.
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

// reach returns an error if none of the addresses can be connected to. A library
// waits for a registry that is away; a person wants to hear of it at once.
func (p registryTarget) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn := etcd.Open(p.config())
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
