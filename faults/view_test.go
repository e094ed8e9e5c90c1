package faults

import (
	"context"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// caching follows a service as callers' views of it do: a list, then what the
// watch tells.
type caching struct {
	mu           sync.Mutex
	nodes        map[string]string
	seen, missed int
	each         func(feed.Update)
}

var _ feed.Sink = (*caching)(nil)

// startCaching follows name, all services if it is empty, until the test ends.
func startCaching(t *testing.T, r registry.Registry, name string) *caching {
	t.Helper()
	c := &caching{}
	c.start(t, r, name)
	return c
}

func (c *caching) start(t *testing.T, r registry.Registry, name string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- feed.Of(r).Follow(ctx, name, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("follow %q: %v", name, err)
		}
	})
}

// Update takes in a view.
func (c *caching) Update(u feed.Update) {
	nodes := map[string]string{}
	for _, s := range u.Services {
		for _, n := range s.Nodes {
			nodes[s.Name+"/"+n.Id] = n.Metadata["text"]
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = nodes
	c.seen++
	if u.Gap {
		c.missed++
	}
	if c.each != nil {
		c.each(u)
	}
}

// Status is not looked at: what counts is the view.
func (c *caching) Status(feed.Status) {}

func (c *caching) view() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return outline(c.nodes)
}

func (c *caching) updates() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// gaps returns how many updates admitted that something may have been missed.
func (c *caching) gaps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.missed
}
