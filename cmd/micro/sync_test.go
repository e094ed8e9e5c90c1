package main

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// text is what a command has written so far.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

var _ io.Writer = (*text)(nil)

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// TestSyncTellsWhatHappens takes the registry that is read away and brings it back.
func TestSyncTellsWhatHappens(t *testing.T) {
	one, two := testkit.StartEtcd(t), testkit.StartEtcd(t)
	r := etcd.NewRegistry(registry.Addrs(one.Addr()))
	defer r.(io.Closer).Close()
	if err := r.Register(&registry.Service{Name: "shop", Version: "1", Nodes: []*registry.Node{{Id: "shop-1", Address: "10.0.0.1:80"}}}, registry.RegisterTTL(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var out, errs text
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	code := make(chan int, 1)
	sync := []string{"micro", "registry", "sync", "--from=etcd=" + one.Addr(), "--to=etcd=" + two.Addr()}
	go func() { code <- run(ctx, sync, &out, &errs) }()
	objects := spawn(t, nil, append(sync[1:], "-o", "json", "--to_namespace=blue")...)
	tells := func(from *text, want string) {
		t.Helper()
		testkit.Eventually(t, 30*time.Second, "it tells "+want, func() bool { return strings.Contains(from.String(), want) })
	}
	tells(&errs, "in step: 1 node of 1 service mirrored\n")
	tells(&out, "  create  shop  1  shop-1  10.0.0.1:80\n")
	object := func(want string) {
		t.Helper()
		for line := ""; !strings.Contains(line, want); line = objects.line(t) {
		}
	}
	object(`"action":"create","service":"shop","version":"1","node":"shop-1","address":"10.0.0.1:80"}`)
	object(`"action":"ready","nodes":1,"services":1}`)
	one.Kill()
	tells(&errs, "out of touch with etcd at "+one.Addr())
	tells(&errs, "; what is mirrored stays as it is\n")
	object(`"action":"lost","registry":"etcd@` + one.Addr() + `","side":"from","reason":"`)
	one.Restart(t)
	tells(&errs, "in touch with etcd at "+one.Addr()+" again\n")
	cancel()
	if code := <-code; code != exitOK {
		t.Errorf("exit code %d, stderr %q", code, errs.String())
	}
	tells(&errs, "ended: 1 mirrored node taken out\n")
}
