package main

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	debug "github.com/rollcall-go/micro/debug/service/proto"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/registry"
)

// askFlags returns the flags of a command that asks nodes about themselves.
func askFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(registryFlags(5*time.Second), callflags.ClientFlags(), []cli.Flag{outputFlag()}, more)
}

// asker asks the nodes of a service about themselves.
type asker struct {
	*session
	debug debug.DebugService
	nodes []askedNode
}

// askedNode is a node with what it answers.
type askedNode struct {
	Node    string `json:"node"`
	Address string `json:"address"`
	Version string `json:"version"`
	// Error is why there is no answer, empty if there is one.
	Error string `json:"error,omitempty"`

	protocol string // empty if it says none
}

// asking wraps an action that asks the nodes of the service which the first argument
// names. It fails after action if a node gave no answer.
func asking(action func(*asker) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		tls, err := securityOf(c)
		if err != nil {
			return err
		}
		return withRegistry(func(s *session) (err error) {
			service := c.Args().First()
			versions, err := s.registry.GetService(service, registry.GetContext(c.Context))
			if err != nil && !notThere(err) {
				return err
			}
			if err != nil {
				return s.notFound(service, s.pauses(service))
			}
			cl := cgrpc.NewClient(client.Registry(s.registry), tls.Option(), client.Retries(0))
			if closer, ok := cl.(io.Closer); ok {
				defer func() { err = stderrors.Join(err, closer.Close()) }()
			}
			a := &asker{session: s, debug: debug.NewDebugService(service, cl), nodes: nodesOf(versions)}
			if err := action(a); err != nil {
				return err
			}
			return a.failed(service)
		})(c)
	}
}

func nodesOf(versions []*registry.Service) []askedNode {
	nodes := []askedNode{}
	for _, v := range versions {
		for _, n := range v.Nodes {
			nodes = append(nodes, askedNode{Node: n.Id, Address: n.Address, Version: v.Version, protocol: n.Metadata["protocol"]})
		}
	}
	return nodes
}

// each has f ask each node, all at once, by a call with the option, which leads to the i-th
// node. An error of f is noted as the node's.
func (a *asker) each(ctx context.Context, f func(ctx context.Context, i int, to client.CallOption) error) {
	var running sync.WaitGroup
	for i := range a.nodes {
		n := &a.nodes[i]
		if n.protocol != "" && n.protocol != "grpc" {
			n.Error = fmt.Sprintf("it speaks %s, and only what speaks grpc is asked", n.protocol)
			continue
		}
		running.Go(func() {
			if err := f(ctx, i, client.WithSelectOption(selector.WithFilter(onlyNode(n.Node)))); err != nil {
				said := errors.FromError(err)
				n.Error = fmt.Sprintf("%d %s: %s", said.GetCode(), said.GetStatus(), said.GetDetail())
			}
		})
	}
	running.Wait()
}

// bounded is each with the time of --timeout.
func (a *asker) bounded(f func(ctx context.Context, i int, to client.CallOption) error) {
	ctx, cancel := context.WithTimeout(a.Context.Context, a.target.timeout)
	defer cancel()
	a.each(ctx, f)
}

// onlyNode leaves out all nodes but one.
func onlyNode(id string) selector.Filter {
	return func(services []*registry.Service) []*registry.Service {
		for _, s := range services {
			for _, n := range s.Nodes {
				if n.Id == id {
					one := *s
					one.Nodes = []*registry.Node{n}
					return []*registry.Service{&one}
				}
			}
		}
		return nil
	}
}

// failed returns an error that names the nodes which gave no answer.
func (a *asker) failed(service string) error {
	var silent []string
	for _, n := range a.nodes {
		if n.Error != "" {
			silent = append(silent, n.Node)
		}
	}
	if len(silent) == 0 {
		return nil
	}
	return fmt.Errorf("ask %q: %d of %d nodes gave no good answer: %s", service, len(silent), len(a.nodes), few(silent))
}
