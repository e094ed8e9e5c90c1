package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/gray"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
)

// patience is how long these tests wait for what has to come.
const patience = 30 * time.Second

// TestGray gives a third of the nodes of examples/config another greeting, makes it that
// of everybody, gives the next one to that third and takes it away, while they are called.
func TestGray(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	dir, err := build(".", "../examples/config")
	if err != nil {
		t.Fatal(err)
	}
	micro := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), testkit.Micro(t), append([]string{"config", "--registry_address=" + etcd.Addr()}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
	}
	micro("set", "greeting", `{"text":"one"}`)
	nodes := map[string]*testkit.Process{}
	for _, id := range []string{"a", "b", "c"} {
		cmd := exec.Command(filepath.Join(dir, "config"), "--registry=etcd", "--registry_address="+etcd.Addr(), "--server_id="+id, "--server_address=127.0.0.1:0")
		nodes["greeter-"+id] = testkit.StartProcess(t, cmd)
	}
	for id, p := range nodes {
		p.Says(t, "Registering node: "+id)
	}
	calls := load(t, etcd.Addr())
	calls.hears("one")

	// Which nodes are meant follows from the name: one that means one of three.
	name, first := "", ""
	for i := 0; name == ""; i++ {
		var meant []string
		for id := range nodes {
			if gray.Share(fmt.Sprint("g", i), id) < 30 {
				meant = append(meant, id)
			}
		}
		if len(meant) == 1 {
			name, first = fmt.Sprint("g", i), meant[0]
		}
	}
	says := func(id, text string) { t.Helper(); nodes[id].Says(t, fmt.Sprintf("the greeting is %q", text)) }
	micro("gray", "set", name, "greeting", `{"text":"two"}`, "--service", "greeter", "--percent", "30")
	says(first, "two")
	calls.hears("one", "two")
	micro("promote", name)
	calls.hears("two")
	micro("gray", "set", name, "greeting", `{"text":"three"}`, "--service", "greeter", "--percent", "30")
	says(first, "three")
	calls.hears("two", "three")
	micro("abort", name)
	testkit.Eventually(t, patience, "the node has what everybody has", func() bool {
		return len(greetings(nodes[first])) == 3
	})
	calls.hears("two")
	if n, failed := calls.stop(); n == 0 || failed != nil {
		t.Errorf("of %d calls one failed: %v", n, failed)
	}
	for id, p := range nodes {
		p.Signal(t, syscall.SIGTERM)
		if code := p.Wait(t, patience); code != 0 {
			t.Errorf("%s: exit code %d", id, code)
		}
		want := []string{"two"}
		if id == first {
			want = []string{"two", "three", "two"}
		}
		if got := greetings(p); !slices.Equal(got, want) {
			t.Errorf("%s took the greetings %q, want %q", id, got, want)
		}
	}
}

var greeting = regexp.MustCompile(`the greeting is "(\w+)"`)

// greetings returns what a node took, one after the other.
func greetings(p *testkit.Process) (all []string) {
	for _, m := range greeting.FindAllStringSubmatch(p.Output(), -1) {
		all = append(all, m[1])
	}
	return all
}

// caller calls the greeters until it is stopped.
type caller struct {
	t       *testing.T
	stopC   context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	calls  int
	heard  []string // by the last hundred calls
	failed error
}

func load(t *testing.T, addr string) *caller {
	t.Helper()
	r := backend.NewRegistry(registry.Addrs(addr))
	c := cgrpc.NewClient(client.Registry(r))
	ctx, cancel := context.WithCancel(context.Background())
	all := &caller{t: t, stopC: cancel}
	for range 4 {
		all.running.Go(func() {
			for ctx.Err() == nil {
				var answer wrapperspb.StringValue
				err := c.Call(ctx, c.NewRequest("greeter", "Greeter.Hello", &wrapperspb.StringValue{Value: "you"}), &answer)
				if ctx.Err() != nil {
					return
				}
				all.note(answer.Value, err)
			}
		})
	}
	t.Cleanup(func() {
		all.stop()
		if err := errors.Join(c.(interface{ Close() error }).Close(), r.(interface{ Close() error }).Close()); err != nil {
			t.Error(err)
		}
	})
	return all
}

func (c *caller) note(answer string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.heard = append(c.heard[max(0, len(c.heard)-99):], answer)
	if err != nil {
		c.failed = err
	}
}

// hears waits until the greetings of the last hundred calls are those, and no others.
func (c *caller) hears(greetings ...string) {
	c.t.Helper()
	var want []string
	for _, g := range greetings {
		want = append(want, g+", you!")
	}
	slices.Sort(want)
	testkit.Eventually(c.t, patience, fmt.Sprintf("the greetings are %q", greetings), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		heard := slices.Clone(c.heard)
		slices.Sort(heard)
		return len(heard) == 100 && slices.Equal(slices.Compact(heard), want)
	})
}

func (c *caller) stop() (calls int, failed error) {
	c.stopC()
	c.running.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.failed
}
