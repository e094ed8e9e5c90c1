package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// awayArguments are those of each subcommand of config that asks etcd.
var awayArguments = map[string]string{
	"get": "a", "list": "", "set": "a 2", "del": "a", "edit": "--yes", "explain": "a", "history": "", "diff": "1", "rollback": "1",
	"schema set": "a schema.json", "schema get": "a", "schema list": "", "schema del": "a", "lint": "", "export": "", "import": "all.json",
	"secret set": "a --from all.json --key-file shop.key", "secret list": "", "secret reveal": "a --key-file shop.key", "secret rotate": "--key-file shop.key",
	"status": "", "status --wait": "", "gray set": "g a 2 --percent 1", "gray list": "", "gray show": "g", "promote": "g", "abort": "g",
	"grant": "ada", "grants": "", "revoke": "ada",
}

// withoutEtcd are those that ask nobody, or do not end by themselves.
var withoutEtcd = []string{"secret keygen", "secret seal", "watch"}

// leaves returns the subcommands that do something, by their words.
func leaves(all []*cli.Command, before string) (names []string) {
	for _, c := range all {
		name := strings.TrimSpace(before + " " + c.Name)
		if len(c.Subcommands) > 0 {
			names = append(names, leaves(c.Subcommands, name)...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// TestConfigWithoutEtcd: where etcd cannot be reached, and where it accepts connections and
// says nothing, each subcommand ends soon, with one line that names the address, and has
// written nothing.
func TestConfigWithoutEtcd(t *testing.T) {
	t.Parallel()
	const most = 20 * time.Second // for a timeout of 1 s
	for _, name := range leaves(configCommand().Subcommands, "") {
		if _, known := awayArguments[name]; !known && !strings.Contains(strings.Join(withoutEtcd, ","), name) {
			t.Errorf("%q is not tried", name)
		}
	}
	e := testkit.StartEtcd(t)
	if code, _, errs := micro(t, "config", "set", "a", "1", "--registry_address="+e.Addr()); code != exitOK {
		t.Fatal(errs)
	}
	dump := func() (all []string) {
		answer, err := e.Client(t).Get(t.Context(), "\x00", clientv3.WithFromKey())
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range answer.Kvs {
			all = append(all, string(kv.Key)+"="+string(kv.Value))
		}
		return all
	}
	before := dump()
	binary, dir := testkit.Micro(t), t.TempDir()
	for name, text := range map[string]string{"all.json": `{"a":3}`, "schema.json": `{"type":"integer"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := micro(t, "config", "secret", "keygen", filepath.Join(dir, "shop.key")); code != exitOK {
		t.Fatal(errs)
	}
	// run returns how a subcommand ended, and after how long.
	run := func(t *testing.T, addr, line string) (code int, out, errs string, took time.Duration) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), most)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, strings.Fields("config "+line+" --timeout 1s --registry_address="+addr)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "EDITOR=true")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		begun := time.Now()
		err := cmd.Run()
		took = time.Since(begun)
		if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || ctx.Err() != nil {
			t.Fatalf("%q: after %v: %v, %v", line, took, err, exit)
		}
		return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), took
	}
	var slowest time.Duration
	var mu sync.Mutex
	each := func(t *testing.T, addr string) {
		slots := make(chan struct{}, 6)
		var running sync.WaitGroup
		for name, args := range awayArguments {
			running.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				line := strings.TrimSpace(name + " " + args)
				code, out, errs, took := run(t, addr, line)
				if code != exitFailed || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "micro: ") || !strings.Contains(errs, addr) {
					t.Errorf("%q: exit code %d, %q, %q", line, code, out, errs)
				}
				mu.Lock()
				defer mu.Unlock()
				slowest = max(slowest, took)
			})
		}
		running.Wait()
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("unreachable", func(t *testing.T) {
		each(t, closed.Addr().String())
		code, _, errs, _ := run(t, closed.Addr().String(), "watch")
		if code != exitFailed || !strings.Contains(errs, closed.Addr().String()) {
			t.Errorf("watch: exit code %d, %q", code, errs)
		}
	})
	t.Run("frozen", func(t *testing.T) {
		e.Freeze(t)
		each(t, e.Addr())
		e.Thaw(t)
	})
	t.Logf("the slowest took %v", slowest)
	if after := dump(); !reflect.DeepEqual(after, before) {
		t.Errorf("there is %q, and was %q", after, before)
	}
}
