package e2e

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clientv3 "go.etcd.io/etcd/client/v3"

	journal "github.com/rollcall-go/micro/examples/registry"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestScripts runs the scripts in testdata. Beside the commands of testscript they
// have
//
//	registered NAME N         wait until N nodes of the service are in etcd
//	in-journal NAME N FILE    wait until the registry in the file has N nodes
//	stays NAME FILE DURATION  look all the time: the node never disappears
//	exits CODE PROGRAM ARG... run the program and compare its exit code
//
// and the variables ETCD (the address of a running etcd), NOBODY (an address where
// nobody listens) and FREE (one to listen on).
func TestScripts(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	client := etcd.Client(t)
	bin := programs(t)
	grpcurl, err := buildGrpcurl()
	t.Run("grpcurl", func(t *testing.T) { testkit.Require(t, "grpcurl", err) })

	path := bin + string(filepath.ListSeparator) + grpcurl + string(filepath.ListSeparator) + os.Getenv("PATH")
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", path)
			env.Setenv("ETCD", etcd.Addr())
			env.Setenv("NOBODY", "127.0.0.1:1")
			free, err := freeAddress()
			env.Setenv("FREE", free)
			return err
		},
		Condition: func(cond string) (bool, error) {
			if cond != "grpcurl" {
				return false, errors.New("unknown condition")
			}
			return grpcurl != "", nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"registered": func(ts *testscript.TestScript, _ bool, args []string) {
				want := arguments(ts, args, 2)
				waitFor(ts, args[0], want, func() (int, error) { return keysOf(client, args[0]) })
			},
			"in-journal": func(ts *testscript.TestScript, _ bool, args []string) {
				want := arguments(ts, args, 3)
				waitFor(ts, args[0], want, func() (int, error) { return inJournal(args[2], args[0]) })
			},
			"stays": func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) != 3 {
					ts.Fatalf("usage: stays NAME FILE DURATION")
				}
				d, err := time.ParseDuration(args[2])
				ts.Check(err)
				looks := 0
				for end := time.Now().Add(d); time.Now().Before(end); looks++ {
					if n, err := inJournal(args[1], args[0]); n != 1 || err != nil {
						ts.Fatalf("%d nodes of %s after %d looks: %v", n, args[0], looks, err)
					}
				}
				ts.Logf("there at each of %d looks", looks)
			},
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) < 2 {
					ts.Fatalf("usage: exits CODE PROGRAM ARG...")
				}
				code := 0
				var exit interface{ ExitCode() int }
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					code = exit.ExitCode()
				} else {
					ts.Check(err)
				}
				if strconv.Itoa(code) != args[0] {
					ts.Fatalf("%s exited with %d, want %s", args[1], code, args[0])
				}
			},
		},
	})
}

// arguments returns the second of n arguments, a number.
func arguments(ts *testscript.TestScript, args []string, n int) int {
	if len(args) != n {
		ts.Fatalf("got %d arguments, want %d", len(args), n)
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	return want
}

func waitFor(ts *testscript.TestScript, name string, want int, count func() (int, error)) {
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := count()
		if err == nil && n == want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%d nodes of %s, want %d: %v", n, name, want, err)
		}
		<-tick.C
	}
}

// keysOf counts the nodes of a service in etcd.
func keysOf(c *clientv3.Client, service string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	got, err := c.Get(ctx, "/micro/registry/"+strings.ReplaceAll(service, "/", "-")+"/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return int(got.Count), nil
}

func inJournal(file, name string) (int, error) {
	services, err := journal.NewRegistry(registry.Addrs(file)).GetService(name)
	if errors.Is(err, registry.ErrNotFound) {
		return 0, nil
	}
	n := 0
	for _, s := range services {
		n += len(s.Nodes)
	}
	return n, err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
