package main

import (
	"context"
	"encoding/json"

	"github.com/micro/go-micro/v2/sync"
	"github.com/micro/go-micro/v2/sync/etcd"

	"github.com/rollcall-go/micro/interop/peer"
)

// in returns where the locks of an etcd are.
func (p *program) in(address string) sync.Sync {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.locks[address]
	if !ok {
		s = etcd.NewSync(sync.Nodes(address), sync.Prefix("interop/"))
		p.locks[address] = s
	}
	return s
}

func (p *program) lock(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var l peer.Lock
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, err
	}
	return nil, p.in(l.Address).Lock(l.Name, sync.LockTTL(l.TTL))
}

func (p *program) unlock(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var l peer.Lock
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, err
	}
	return nil, p.in(l.Address).Unlock(l.Name)
}
