package main

import (
	"context"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/embedded"
)

// etcdPart is an etcd of one member.
func etcdPart(ctx context.Context, s setup) (map[string]task, any, error) {
	e, err := embedded.Start(ctx, embedded.Config{DataDir: s.Dir, Address: "127.0.0.1:0", UnsafeFast: true})
	if err != nil {
		return nil, nil, err
	}
	return nil, e.Addr(), nil
}

// needEtcd starts an etcd if there is none yet, and returns a client of it.
func (r *run) needEtcd() (*clientv3.Client, error) {
	if r.etcd == "" {
		dir, err := os.MkdirTemp(r.dir, "etcd")
		if err != nil {
			return nil, err
		}
		if _, err := r.start(setup{Kind: "etcd", Dir: dir}, &r.etcd); err != nil {
			return nil, err
		}
	}
	return clientv3.New(clientv3.Config{Endpoints: []string{r.etcd}, Context: r.ctx})
}
