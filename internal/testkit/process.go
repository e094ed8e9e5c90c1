package testkit

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a child of the test. It dies with it, on Linux even when the test
// is killed.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child is gone and reaped
	err  error         // how it ended, valid after done
}

func startProcess(binary string, args []string, out *output) (*process, error) {
	cmd := exec.Command(binary, args...)
	fmt.Fprintf(out, "$ %s\n", cmd)
	return startChild(cmd, out)
}

// startChild starts cmd, whose output goes to out, and says there how it ended.
func startChild(cmd *exec.Cmd, out *output) (*process, error) {
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		fmt.Fprintf(out, "$ ended: %v\n", p.err)
	}()
	return p, nil
}

// alive tells whether the child still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the child at once and waits.
func (p *process) kill() {
	// The only possible failure is that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// waitFor waits until the child has ended, for d at most, and tells whether it
// has.
func (p *process) waitFor(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// output keeps the end of what the processes of one etcd, or one child, wrote.
type output struct {
	limit int // how much is kept at least; outputLimit if 0

	mu   sync.Mutex
	text []byte
}

// outputLimit bounds what is kept of an etcd's output.
const outputLimit = 64 << 10

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	limit := cmp.Or(o.limit, outputLimit)
	if n := len(o.text); n > 2*limit {
		o.text = append([]byte(nil), o.text[n-limit:]...)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

var _ fmt.Stringer = (*output)(nil)

// executable tells whether there is a program at path.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("run %q: it is a directory", path)
	}
	return nil
}
