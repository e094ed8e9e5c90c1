package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/rollcall-go/micro/metadata"
)

// cacheLimit is the largest number of answers that a Cache holds.
const cacheLimit = 4096

// Cache keeps answers by request: service, endpoint, body, and the namespace in
// the context. It holds at most 4096; beyond that, those that expired are dropped
// when another comes, or any one if none has. It runs no goroutine. It is
// safe for concurrent use; make one with NewCache. What it holds is shared by all who get it and must
// not be changed.
type Cache struct {
	mu    sync.Mutex
	items map[string]cached
}

type cached struct {
	value any
	until time.Time // zero means that it does not expire
}

func (c cached) expired(now time.Time) bool {
	return !c.until.IsZero() && !now.Before(c.until)
}

// NewCache returns an empty cache.
func NewCache() *Cache {
	return &Cache{items: make(map[string]cached)}
}

// Get returns the answer kept for the request.
func (c *Cache) Get(ctx context.Context, req *Request) (any, bool) {
	k, ok := cacheKey(ctx, req)
	if !ok {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	item, ok := c.items[k]
	if !ok {
		return nil, false
	}
	if item.expired(time.Now()) {
		delete(c.items, k)
		return nil, false
	}
	return item.value, true
}

// Set keeps rsp as the answer to the request for the given time, without end if
// it is zero or less. A request whose body JSON cannot express is not kept.
func (c *Cache) Set(ctx context.Context, req *Request, rsp any, expiry time.Duration) {
	k, ok := cacheKey(ctx, req)
	if !ok {
		return
	}
	now := time.Now()
	item := cached{value: rsp}
	if expiry > 0 {
		item.until = now.Add(expiry)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.items[k]; !there && len(c.items) >= cacheLimit {
		c.makeRoom(now)
	}
	c.items[k] = item
}

// List returns what has not expired, each answer as JSON, empty where JSON
// cannot express it. The keys are opaque.
func (c *Cache) List() map[string]string {
	now := time.Now()
	c.mu.Lock()
	items := maps.Clone(c.items)
	c.mu.Unlock()

	list := make(map[string]string, len(items))
	for k, item := range items {
		if item.expired(now) {
			continue
		}
		b, err := json.Marshal(item.value)
		if err != nil {
			b = nil
		}
		list[k] = string(b)
	}
	return list
}

// makeRoom drops everything that expired, or one item if nothing has.
func (c *Cache) makeRoom(now time.Time) {
	before := len(c.items)
	maps.DeleteFunc(c.items, func(_ string, item cached) bool { return item.expired(now) })
	if len(c.items) < before {
		return
	}
	for k := range c.items {
		delete(c.items, k)
		return
	}
}

// cacheKey is a digest wide enough that two requests never share one. It reports
// false for a request that has none.
func cacheKey(ctx context.Context, req *Request) (string, bool) {
	if req == nil || *req == nil {
		return "", false
	}
	r := *req
	namespace, _ := metadata.Get(ctx, "Micro-Namespace")
	b, err := json.Marshal([]any{namespace, r.Service(), r.Endpoint(), r.Method(), r.Body()})
	if err != nil {
		return "", false
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), true
}
