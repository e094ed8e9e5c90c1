package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/multi"
)

// chosen says which registry a program is to use, by flags or by variables.
type chosen struct{ registry, address string }

func (c chosen) flags() []string {
	args := []string{"--registry=" + c.registry}
	if c.address != "" {
		args = append(args, "--registry_address="+c.address)
	}
	return args
}

func (c chosen) variables() []string {
	return []string{"MICRO_REGISTRY=" + c.registry, "MICRO_REGISTRY_ADDRESS=" + c.address}
}

// relay returns the command that runs the relay, by flags or by variables alone.
func relay(t *testing.T, c chosen, byFlag bool, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs(t), "relay"))
	cmd.Env = append(os.Environ(), env...)
	if byFlag {
		cmd.Args = append(cmd.Args, c.flags()...)
	} else {
		cmd.Env = append(cmd.Env, c.variables()...)
	}
	return cmd
}

// TestOneProgramOnEachRegistry runs one program, unchanged, as a service and as its
// caller, on each registry by flags alone and by variables alone. mDNS, which would
// send to the networks of this host, has a test of its own.
func TestOneProgramOnEachRegistry(t *testing.T) {
	t.Parallel()
	etcd, consul := testkit.StartEtcd(t).Addr(), testkit.StartConsul(t).Addr()
	for i, c := range []chosen{
		{"etcd", etcd},
		{"consul", consul},
		{"consul,etcd", fmt.Sprintf("consul=%s,etcd=%s", consul, etcd)},
	} {
		for _, byFlag := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s by flag %v", c.registry, byFlag), func(t *testing.T) {
				t.Parallel()
				name := fmt.Sprintf("relay-%d-%v", i, byFlag)
				testkit.StartProcess(t, relay(t, c, byFlag, "RELAY_NAME="+name))
				answers(t, func() *exec.Cmd { return relay(t, c, byFlag, "RELAY_NAME=caller", "RELAY_ASK="+name) }, name)
			})
		}
	}
}

// TestOneProgramInMemory runs that program on the registry that is this process alone: it
// calls itself.
func TestOneProgramInMemory(t *testing.T) {
	t.Parallel()
	for _, byFlag := range []bool{true, false} {
		testkit.StartProcess(t, relay(t, chosen{"memory", ""}, byFlag, "RELAY_NAME=alone", "RELAY_ASK=alone")).Says(t, "answered: alone")
	}
}

// answers runs the command until it prints what is wanted.
func answers(t *testing.T, command func() *exec.Cmd, want string) {
	t.Helper()
	testkit.Passes(t, 30*time.Second, "the service is called by its name", func() error {
		out, err := command().CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			return fmt.Errorf("%w: %s", errors.Join(errors.New("no answer"), err), out)
		}
		return nil
	})
}

// TestAFleetMovesFromConsulToEtcd moves three services, a that calls b that calls c,
// from Consul to etcd while they are called: each is started anew with both registries,
// one after the other, and then each with etcd alone. No call fails.
func TestAFleetMovesFromConsulToEtcd(t *testing.T) {
	t.Parallel()
	etcd, consul := testkit.StartEtcd(t), testkit.StartConsul(t)
	old := chosen{"consul", consul.Addr()}
	both := chosen{"consul,etcd", fmt.Sprintf("consul=%s,etcd=%s", consul.Addr(), etcd.Addr())}
	moved := chosen{"etcd", etcd.Addr()}
	inConsul, inEtcd := fleet.Consul(t, consul.Addr()), fleet.Registry(t, etcd.Addr())
	next := map[string]string{"a": "b", "b": "c", "c": ""}

	running := make(map[string]*testkit.Process)
	// begin starts a service anew: the new process is there before the old one is told
	// to stop, as a deployment does it.
	begin := func(name string, c chosen, in ...registry.Registry) {
		t.Helper()
		before := running[name]
		known := make([]map[string]string, len(in))
		for i, r := range in {
			known[i], _ = fleet.Addresses(r, name)
		}
		running[name] = testkit.StartProcess(t, relay(t, c, true, "RELAY_NAME="+name, "RELAY_NEXT="+next[name]))
		for i, r := range in {
			testkit.Eventually(t, 20*time.Second, name+" is registered in "+r.String(), func() bool {
				now, _ := fleet.Addresses(r, name)
				for id := range now {
					if known[i][id] == "" {
						return true
					}
				}
				return false
			})
		}
		if before == nil {
			return
		}
		before.Stop(t)
	}
	for _, name := range []string{"c", "b", "a"} {
		begin(name, old, inConsul)
	}
	// Who calls the fleet uses both from the beginning.
	caller := multi.NewRegistry(fleet.Consul(t, consul.Addr()), fleet.Registry(t, etcd.Addr()))
	c := cgrpc.NewClient(client.Registry(caller))
	t.Cleanup(func() {
		fleet.Close(t, c)
		fleet.Close(t, caller)
	})
	load := startRelayLoad(t, c, "a", "a>b>c", 4)
	load.more(t, 50)
	for _, name := range []string{"a", "b", "c"} {
		begin(name, both, inConsul, inEtcd)
		load.more(t, 50)
	}
	for _, name := range []string{"b", "c", "a"} {
		begin(name, moved, inEtcd)
		load.more(t, 50)
	}
	for _, name := range []string{"a", "b", "c"} {
		// An agent tells its servers a moment later.
		testkit.Passes(t, 20*time.Second, name+" has left Consul", func() error {
			if left, _ := fleet.IDs(inConsul, name); len(left) > 0 {
				return fmt.Errorf("it still has %v", left)
			}
			return nil
		})
	}
	load.stop()
	if n := load.failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first: %v", n, load.calls.Load(), *load.first.Load())
	}
	t.Logf("%d calls, none failed", load.calls.Load())
}

// relayLoad calls the first of a chain, one call after the other.
type relayLoad struct {
	calls, failed atomic.Int64
	first         atomic.Pointer[error]
	stop          func()
}

func startRelayLoad(t *testing.T, c client.Client, name, want string, callers int) *relayLoad {
	t.Helper()
	l := &relayLoad{}
	ctx, cancel := context.WithCancel(context.Background())
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() {
			pause := time.NewTicker(5 * time.Millisecond)
			defer pause.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-pause.C:
				}
				l.call(c, name, want)
			}
		})
	}
	l.stop = sync.OnceFunc(func() { cancel(); calling.Wait() })
	t.Cleanup(l.stop)
	return l
}

func (l *relayLoad) call(c client.Client, name, want string) {
	rsp := new(wrapperspb.StringValue)
	err := c.Call(context.Background(), c.NewRequest(name, "Relay.Pass", new(wrapperspb.StringValue)), rsp)
	if err == nil && rsp.GetValue() != want {
		err = fmt.Errorf("the answer is %q", rsp.GetValue())
	}
	if err != nil {
		l.failed.Add(1)
		l.first.CompareAndSwap(nil, &err)
	}
	l.calls.Add(1)
}

// more waits until there were n more calls.
func (l *relayLoad) more(t *testing.T, n int64) {
	t.Helper()
	until := l.calls.Load() + n
	testkit.Eventually(t, 30*time.Second, "more calls", func() bool { return l.calls.Load() >= until })
}
