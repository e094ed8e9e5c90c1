package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
	"github.com/rollcall-go/micro/registry/etcd"
)

// followed is the service that followers know.
const followed = "bench.followed"

// followerPart knows services as a client does: by registry/cache.
func followerPart(_ context.Context, s setup) (map[string]task, any, error) {
	known := cache.New(etcd.NewRegistry(registry.Addrs(s.Etcd)))
	nodes := func() (int, error) {
		services, err := known.GetService(followed)
		n := 0
		for _, s := range services {
			n += len(s.Nodes)
		}
		return n, err
	}
	tasks := map[string]task{
		// await answers once there are so many nodes.
		"await": func(ctx context.Context, input json.RawMessage) (any, error) {
			var want int
			if err := json.Unmarshal(input, &want); err != nil {
				return nil, err
			}
			ticks := time.NewTicker(20 * time.Millisecond)
			defer ticks.Stop()
			for {
				n, err := nodes()
				if n == want || err != nil {
					return n, err
				}
				select {
				case <-ticks.C:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
		},
		// lookup answers what so many lookups use.
		"lookup": func(_ context.Context, input json.RawMessage) (any, error) {
			var times int
			if err := json.Unmarshal(input, &times); err != nil {
				return nil, err
			}
			before, err := readUsage()
			if err != nil {
				return nil, err
			}
			begun := time.Now()
			for range times {
				if _, err := nodes(); err != nil {
					return nil, err
				}
			}
			took := time.Since(begun)
			after, err := readUsage()
			return done{Number: int64(times), Took: took, Used: after.since(before)}, err
		},
	}
	// The first lookup makes the connection, and all that is not about nodes.
	n, err := nodes()
	return tasks, n, err
}

// watcherPart watches the same keys with etcd's client, and does nothing with what
// comes: less than that nobody can do who follows them.
func watcherPart(ctx context.Context, s setup) (map[string]task, any, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Etcd}, Context: ctx})
	if err != nil {
		return nil, nil, err
	}
	changes := c.Watch(ctx, layout.Layout{}.Service(followed), clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-changes
	go func() {
		for range changes {
			continue
		}
	}()
	return nil, true, nil
}

// node returns the record of a node as a service of ours registers it. With a schema it
// describes three endpoints, as generated services do.
func node(i int, schema bool) *registry.Service {
	address := fmt.Sprintf("10.%d.%d.%d:8080", i>>16, i>>8&255, i&255)
	s := &registry.Service{
		Name: followed, Version: "1.4.2", Metadata: map[string]string{},
		Nodes: []*registry.Node{{
			Id:       fmt.Sprintf("%s-%08x-7f3a-4c1d-9e52-%012x", followed, i*2654435761%(1<<32), i),
			Address:  address,
			Metadata: map[string]string{"broker": "memory", "protocol": "grpc", "registry": "etcd", "server": "grpc", "transport": "grpc", record.Mark: "0.1.0"},
		}},
	}
	if !schema {
		return s
	}
	value := func(name string, fields ...string) *registry.Value {
		v := &registry.Value{Name: name, Type: name}
		for _, f := range fields {
			v.Values = append(v.Values, &registry.Value{Name: f, Type: "string"})
		}
		return v
	}
	for _, method := range []string{"Get", "Put", "List"} {
		s.Endpoints = append(s.Endpoints, &registry.Endpoint{
			Name: "Store." + method, Metadata: map[string]string{},
			Request:  value(method+"Request", "id", "tenant", "fields", "page_token", "page_size", "order", "filter"),
			Response: value(method+"Response", "id", "name", "created", "changed", "owner", "labels", "next_page_token", "total"),
		})
	}
	return s
}

// put writes the records of nodes from and up to to, many at a time.
func put(ctx context.Context, c *clientv3.Client, from, to int, schema bool) error {
	const together = 100
	var writes []clientv3.Op
	for i := from; i < to; i++ {
		op, err := writing(node(i, schema))
		if err != nil {
			return err
		}
		if writes = append(writes, op); len(writes) == together || i == to-1 {
			if _, err := c.Txn(ctx).Then(writes...).Commit(); err != nil {
				return err
			}
			writes = nil
		}
	}
	return nil
}

func writing(s *registry.Service) (clientv3.Op, error) {
	value, err := layout.Encode(s, s.Nodes[0])
	return clientv3.OpPut(layout.Layout{}.Node(s.Name, s.Nodes[0].Id), string(value)), err
}
