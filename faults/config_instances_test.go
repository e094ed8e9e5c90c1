package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	etcdregistry "github.com/rollcall-go/micro/registry/etcd"
)

// The process that TestAnInstance makes of this test binary, in etcd at the address.
const (
	instanceVariable = "ROLLCALL_FAULTS_INSTANCE"
	instanceNode     = "ROLLCALL_FAULTS_INSTANCE_NODE"
)

// limits are what instances bind. They refuse more than a hundred.
type limits struct{ Max int }

func (l *limits) Validate() error {
	if l.Max > 100 {
		return errors.New("no more than a hundred")
	}
	return nil
}

// TestAnInstance is the program of instances: it prints the limits in force, and goes on until
// it is killed, or told to end.
func TestAnInstance(t *testing.T) {
	addr := os.Getenv(instanceVariable)
	if addr == "" {
		return
	}
	c, err := config.NewConfig(config.WithSource(etcd.NewSource(etcd.WithAddress(addr), etcd.StripPrefix(true),
		etcd.Instance(source.Instance{Service: "shop", Node: os.Getenv(instanceNode)}))))
	if err != nil {
		t.Fatal(err)
	}
	bound, err := config.Bind[limits](c, "limits")
	if err != nil {
		t.Fatal(err)
	}
	bound.OnChange(func(_, now *limits) { fmt.Printf("max %d\n", now.Max) })
	fmt.Printf("max %d\n", bound.Get().Max)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone
	if err := errors.Join(bound.Close(), c.Close()); err != nil {
		t.Error(err)
	}
}

// operated is an etcd, a Center over it, and what runs by it.
type operated struct {
	*testkit.Etcd
	*center.Center
	instances []*testkit.Process
}

// operate starts etcd with a first release and so many instances, each a process.
func operate(t *testing.T, instances int) *operated {
	t.Helper()
	o := &operated{Etcd: testkit.StartEtcd(t)}
	r := etcdregistry.NewRegistry(registry.Addrs(o.Addr()), registry.Timeout(patience))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	var err error
	if o.Center, err = center.New(r); err != nil {
		t.Fatal(err)
	}
	o.release(t, 1)
	for n := range instances {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAnInstance$")
		cmd.Env = append(os.Environ(), instanceVariable+"="+o.Addr(), fmt.Sprintf("%s=n%03d", instanceNode, n))
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stdin.Close() })
		o.instances = append(o.instances, testkit.StartProcess(t, cmd))
		const atOnce = 25 // their start is not what is measured
		if (n+1)%atOnce == 0 || n+1 == instances {
			for _, p := range o.instances[n/atOnce*atOnce:] {
				p.Says(t, `max 1\n`)
			}
		}
	}
	testkit.Passes(t, patience, "all say what they have", func() error {
		s, err := o.Status(t.Context(), "shop")
		if err == nil && len(s.Instances) != instances {
			err = fmt.Errorf("%d of %d do", len(s.Instances), instances)
		}
		return err
	})
	return o
}

func (o *operated) release(t *testing.T, limit int) center.Release {
	t.Helper()
	r, err := o.Release(t.Context(), center.Draft{Who: "ada", Edits: []center.Edit{center.Put("limits", fmt.Sprintf(`{"max":%d}`, limit))}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ended is how a command did.
type ended struct {
	code        int
	out, errors string
	took        time.Duration
}

// begin starts `micro config` and returns what comes of it, and how far its output is.
func (o *operated) begin(t *testing.T, args ...string) (done <-chan ended, out *heard) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testkit.Micro(t), append([]string{"config"}, args...)...)
	cmd.Env = append(os.Environ(), "MICRO_REGISTRY=etcd", "MICRO_REGISTRY_ADDRESS="+o.Addr())
	out, errs := new(heard), new(heard)
	cmd.Stdout, cmd.Stderr = out, errs
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	result := make(chan ended, 1)
	go func() {
		_ = cmd.Wait() // the exit code tells
		result <- ended{cmd.ProcessState.ExitCode(), out.String(), errs.String(), time.Since(begun)}
	}()
	return result, out
}

// command is begin and the end.
func (o *operated) command(t *testing.T, args ...string) ended {
	t.Helper()
	done, _ := o.begin(t, args...)
	return <-done
}

// TestG31ARollbackReachesProcesses: each instance is a process with a connection of its own.
func TestG31ARollbackReachesProcesses(t *testing.T) {
	const limit = 10 * time.Second
	instances := times(8, 100)
	o := operate(t, instances)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := o.Wait(ctx, o.release(t, 2), nil); err != nil { // all have written that
		t.Fatal(err)
	}
	before := o.Metric(t, "etcd_mvcc_put_total")
	begun := time.Now()
	d, err := o.Rollback(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Release(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Wait(ctx, r, nil); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	for _, p := range o.instances {
		testkit.Eventually(t, patience, "who said that it has it has it", func() bool { return p.Lines("max 1\n") == 2 })
	}
	within(t, fmt.Sprintf("from the rollback until the last of %d processes said that it has it", instances), took, limit)
	atMost(t, "writes", o.Metric(t, "etcd_mvcc_put_total")-before, instances+2)
}

// TestG32EtcdIsGoneWhileItIsWaited: etcd is killed, or frozen, when a release is there and one
// of two instances has yet to take it. The command ends with its timeout, says who has it as
// far as is known, and exits with 1. The release is there as a whole, and reaches all.
func TestG32EtcdIsGoneWhileItIsWaited(t *testing.T) {
	t.Parallel()
	const timeout, ends = 12 * time.Second, 30 * time.Second // silence is noticed meanwhile
	for name, fault := range map[string]struct{ begin, end func(*operated) }{
		"killed": {func(o *operated) { o.Kill() }, func(o *operated) { o.Restart(t) }},
		"frozen": {func(o *operated) { o.Freeze(t) }, func(o *operated) { o.Thaw(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := operate(t, 2)
			slow := o.instances[1]
			slow.Freeze(t)
			done, out := o.begin(t, "set", "limits", `{"max":2}`, "other", "1", "--wait", "--timeout", timeout.String())
			testkit.Eventually(t, patience, "the release is made", func() bool { return strings.Contains(out.String(), "release 2") })
			o.instances[0].Says(t, `max 2\n`)
			fault.begin(o)
			got := <-done
			within(t, "the command waits, "+name, got.took, ends)
			t.Logf("it says: %s", got.errors)
			if got.code != 1 || !strings.Contains(got.errors, "micro: wait for release 2: ") || !strings.Contains(got.errors, o.Addr()) || strings.Count(got.errors, "\n") != 1 {
				t.Errorf("exit code %d: %s", got.code, got.errors)
			}
			fault.end(o)
			slow.Thaw(t)
			o.WaitReady(t)
			// The lease of the one that slept may have run out.
			testkit.Passes(t, patience, "both have the release", func() error {
				if got := o.command(t, "status", "--service", "shop", "--wait"); got.code != 0 || !strings.Contains(got.out, "2 instances: 2 current") {
					return fmt.Errorf("exit code %d: %s%s", got.code, got.out, got.errors)
				}
				return nil
			})
			slow.Says(t, `max 2\n`)
			if h, err := o.History(t.Context(), center.Page{}); err != nil || len(h) != 2 || len(h[0].Changes) != 2 {
				t.Errorf("%v: %+v", err, h)
			}
		})
	}
}

// TestG33InstancesThatRefuseAndDie: who refuses is named; an instance that is killed before it
// has the release is told when its lease runs out. Both exit with 1.
func TestG33InstancesThatRefuseAndDie(t *testing.T) {
	t.Parallel()
	const leaves = defaults.RegisterTTL + 5*time.Second
	o := operate(t, 3)
	got := o.command(t, "set", "limits", `{"max":1000}`, "--wait")
	if got.code != 1 || !strings.Contains(got.errors, "micro: wait for release 2: 3 of 3 refuse it: n000 (limits: ") || !strings.Contains(got.errors, "no more than a hundred") {
		t.Errorf("exit code %d: %s", got.code, got.errors)
	}
	if got := o.command(t, "rollback", "1", "--wait"); got.code != 0 || !strings.Contains(got.out, "3 instances: all have it") {
		t.Errorf("exit code %d: %s%s", got.code, got.out, got.errors)
	}

	dying := o.instances[1]
	dying.Freeze(t)
	done, _ := o.begin(t, "set", "limits", `{"max":2}`, "--wait", "--timeout", "1m", "-o", "json")
	for _, n := range []int{0, 2} {
		o.instances[n].Says(t, `max 2\n`)
	}
	begun := time.Now()
	dying.Kill()
	got = <-done
	within(t, "until it is told that an instance died", time.Since(begun), leaves)
	var told struct {
		Instances struct{ Have, Gone []center.Instance }
	}
	if err := json.Unmarshal([]byte(got.out), &told); err != nil || len(told.Instances.Have) != 2 || len(told.Instances.Gone) != 1 || told.Instances.Gone[0].Node != "n001" {
		t.Errorf("%v: %s", err, got.out)
	}
	if got.code != 1 || !strings.Contains(got.errors, "1 of 3 went before it had it, stopped or with its lease run out: n001 (at revision ") {
		t.Errorf("exit code %d: %s", got.code, got.errors)
	}
	if got := o.command(t, "status", "--wait"); got.code != 0 || !strings.Contains(got.out, "2 instances: 2 current") {
		t.Errorf("who died is not waited for: exit code %d: %s%s", got.code, got.out, got.errors)
	}
}

// String returns what was heard so far.
func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}
