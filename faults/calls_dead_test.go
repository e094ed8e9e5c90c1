package faults

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// chooses returns the client of a service that is not run, and how many attempts it
// has made on the node at an address.
func chooses(t *testing.T, r registry.Registry, address string) (client.Client, *atomic.Int64) {
	t.Helper()
	chosen := new(atomic.Int64)
	return fleet.Client(t, r, micro.WrapCall(func(call client.CallFunc) client.CallFunc {
		return func(ctx context.Context, n *registry.Node, req client.Request, rsp any, o client.CallOptions) error {
			if n.Address == address {
				chosen.Add(1)
			}
			return call(ctx, n, req, rsp, o)
		}
	})), chosen
}

// Row D1: one of three nodes is killed with kill -9 under a load of calls. Once its
// end is known at most one more call chooses it, and no call fails but those that it
// had been sent.
func TestD1KillNineAtLoad(t *testing.T) {
	t.Parallel()
	const callers = 8
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	doomed := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr())
	for range 2 {
		fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr())
	}
	testkit.Eventually(t, patience, "three nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 3) })
	nodes, err := fleet.Addresses(r, fleet.ProcessName)
	if err != nil {
		t.Fatal(err)
	}
	c, chosen := chooses(t, r, addressOf(t, doomed, nodes))
	load := fleet.StartLoad(t, c, fleet.ProcessName, callers, 8*time.Millisecond)
	load.More(t, 500)
	if chosen.Load() == 0 {
		t.Fatal("the node that is to die was not called")
	}
	doomed.Kill()
	chosen.Store(0)
	load.More(t, times(3000, 30_000))
	load.Stop()
	t.Logf("measured: %v", load)
	if err := load.Err(); err != nil {
		t.Logf("the first failure: %v", err)
	}
	atMost(t, "failed calls, of those that the dying node had been sent", load.Failed(), callers)
	atMost(t, "calls that chose the dead node", int(chosen.Load()), 1)
}

// Row D5: a process is killed with kill -9, and an operator takes its record out
// before its lease ends. Nobody has to wait for the TTL. A node whose lease was
// renewed lately may live, and is taken out only if the operator insists.
func TestD5KillNineAndDeregister(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	dead := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr(), "--register_ttl=60")
	alive := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr(), "--register_ttl=60")
	testkit.Eventually(t, patience, "two nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 2) })
	id := dead.Says(t, `Registering node: (\S+)`)
	stays := alive.Says(t, `Registering node: (\S+)`)
	deregister := func(args ...string) (string, error) {
		cmd := exec.Command(testkit.Micro(t), append([]string{"node", "deregister", fleet.ProcessName}, args...)...)
		cmd.Env = append(os.Environ(), "MICRO_REGISTRY=etcd", "MICRO_REGISTRY_ADDRESS="+e.Addr())
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	dead.Kill()
	begin := time.Now()
	out, err := deregister(id, "--force")
	if err != nil || !strings.Contains(out, "lease left") {
		t.Fatalf("deregister the dead node: %v: %s", err, out)
	}
	t.Logf("the command says: %s", out)
	within(t, "unlisted", since(t, begin, "one node is listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 1) }), time.Second)
	if out, err := deregister(stays); err == nil || !strings.Contains(out, "micro node pause") {
		t.Errorf("deregister the node that lives: %v: %s", err, out)
	}
	c := fleet.Client(t, r)
	for range 20 {
		fleet.MustSay(t, c, fleet.ProcessName)
	}
	if !fleet.Listed(r, fleet.ProcessName, 1) {
		t.Error("the node that lives is not listed")
	}
}
