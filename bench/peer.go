package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// peer is one of those that are compared.
type peer struct {
	// serve begins to serve what s says and returns the addresses.
	serve func(ctx context.Context, s setup) (addresses []string, err error)
	// dial makes a client of these servers.
	dial func(ctx context.Context, s setup) (client, error)
}

// client is what loads a server.
type client interface {
	// call calls the service of that number with a text, which is answered.
	call(ctx context.Context, service int, text string) error
	// stream opens a stream to the first service.
	stream(ctx context.Context) (stream, error)
}

// stream is a stream whose messages come back.
type stream interface {
	send(text string) error
	receive() error
	closeSend() error
}

const (
	// deadline is that of every call, of each peer. Nobody is to reach it, however busy
	// the machine is.
	deadline = 30 * time.Second
	// origin is the value of the one header that every call carries.
	origin = "bench"
)

var peers = map[string]peer{
	"grpc":        {serveGRPC, dialGRPC},
	"grpc-legacy": {serveGRPC, dialGRPCLegacy},
	"grpc-etcd":   {serveListed, dialListed},
	"generated":   {serveGenerated, dialGenerated},
	"reflection":  {serveReflection, dialReflection},
	"v2code":      {serveV2Code, dialV2Code},
	"nethttp":     {serveHTTP, dialHTTP},
	"web":         {serveWeb, dialHTTP},
	"web-by-name": {serveWeb, dialByName},
}

func peerOf(s setup) (peer, error) {
	p, ok := peers[s.Peer]
	if !ok {
		return p, fmt.Errorf("there is no peer %q", s.Peer)
	}
	return p, nil
}

func serverPart(ctx context.Context, s setup) (map[string]task, any, error) {
	p, err := peerOf(s)
	if err != nil {
		return nil, nil, err
	}
	addresses, err := p.serve(ctx, s)
	return nil, addresses, err
}

func clientPart(ctx context.Context, s setup) (map[string]task, any, error) {
	p, err := peerOf(s)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.dial(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	// Each service is called once before anything is measured.
	for i := range max(1, s.Services) {
		if err := c.call(ctx, i, "x"); err != nil {
			return nil, nil, err
		}
	}
	tasks := map[string]task{"load": func(ctx context.Context, input json.RawMessage) (any, error) {
		var what cell
		if err := json.Unmarshal(input, &what); err != nil {
			return nil, err
		}
		return load(ctx, c, what)
	}}
	return tasks, true, nil
}

// contest is a peer with its two processes.
type contest struct {
	peer           string
	server, client *part
}

// launch starts the processes of a peer.
func (r *run) launch(name string, services, nodes int) (*contest, error) {
	s := setup{Peer: name, Etcd: r.etcd, Service: "bench." + name, Services: services, Nodes: nodes}
	c := &contest{peer: name}
	var err error
	s.Kind = "server"
	if c.server, err = r.start(s, &s.Addresses); err != nil {
		return nil, fmt.Errorf("start the server of %s: %w", name, err)
	}
	var ready bool
	s.Kind = "client"
	if c.client, err = r.start(s, &ready); err != nil {
		return nil, fmt.Errorf("start the client of %s: %w", name, err)
	}
	return c, nil
}

func (c *contest) stop() {
	c.client.stop()
	c.server.stop()
}

// measure warms the pair up and runs the cell.
func (c *contest) measure(what cell) (d done, err error) {
	warm := what
	warm.For /= 3
	if err := c.client.ask("load", warm, &d); err != nil {
		return d, fmt.Errorf("%s: %w", c.peer, err)
	}
	before, err := c.server.used(false)
	if err != nil {
		return d, err
	}
	if err := c.client.ask("load", what, &d); err != nil {
		return d, fmt.Errorf("%s: %w", c.peer, err)
	}
	after, err := c.server.used(false)
	d.Servers = after.since(before)
	return d, err
}
