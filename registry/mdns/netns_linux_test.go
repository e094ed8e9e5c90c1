package mdns

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// process is a child, and what it printed.
type process struct {
	lines chan string
	stdin io.Closer
}

func start(t *testing.T, host *testkit.Netns, role string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := host.Command(self)
	cmd.Env = append(os.Environ(), childRole+"="+role)
	return run(t, cmd)
}

func run(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errors strings.Builder
	cmd.Stderr = &errors
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{lines: make(chan string, 100), stdin: stdin}
	t.Cleanup(func() {
		_ = stdin.Close()
		for range p.lines { // until it has ended
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", cmd.Args, err)
		}
		// Nothing is logged at info on a healthy host.
		if errors.Len() > 0 {
			t.Errorf("%v said %s", cmd.Args, errors.String())
		}
	})
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
	}()
	return p
}

// sees waits for a line.
func (p *process) sees(t *testing.T, want string) {
	t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	var last string
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("it ended before it printed %q; the last line was %q", want, last)
			}
			if last = line; strings.Contains(line, want) {
				return
			}
		case <-timeout.C:
			t.Fatalf("it did not print %q; the last line was %q", want, last)
		}
	}
}

// An interface that comes later is taken in use, and one that goes does no harm.
func TestInterfacesComeAndGo(t *testing.T) {
	t.Parallel()
	a, b := testkit.NewNetns(t), testkit.NewNetns(t)
	node := start(t, a, "node a 10.1.0.1:80")
	node.sees(t, "registered")
	reader := start(t, b, "reader")
	reader.sees(t, "view: ")
	a.Join(t, b, "eth0", []string{"10.1.0.1/24"}, []string{"10.1.0.2/24"})
	reader.sees(t, "view: a@10.1.0.1:80")
	second := start(t, b, "node b 10.1.0.2:80")
	second.sees(t, "registered")
	reader.sees(t, "view: a@10.1.0.1:80 b@10.1.0.2:80")
	b.IP(t, "link", "set", "eth0", "down")
	fourth := start(t, b, "node d 127.0.0.1:81")
	fourth.sees(t, "registered")
	reader.sees(t, "d@127.0.0.1:81")
	b.IP(t, "link", "set", "eth0", "up")
	fifth := start(t, a, "node e 10.1.0.1:81")
	fifth.sees(t, "registered")
	reader.sees(t, "e@10.1.0.1:81")
	b.IP(t, "link", "del", "eth0")
	third := start(t, b, "node c 127.0.0.1:80")
	third.sees(t, "registered")
	reader.sees(t, "c@127.0.0.1:80")
	if err := second.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	reader.sees(t, "c@127.0.0.1:80 d@127.0.0.1:81 e@")
}

// Without any interface, the first use says so and names what to use instead.
func TestHostWithoutMulticast(t *testing.T) {
	t.Parallel()
	host := testkit.NewNetns(t)
	host.IP(t, "link", "set", "lo", "down")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := host.Command(self)
	cmd.Env = append(os.Environ(), childRole+"=node a 10.1.0.1:80")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{`register "s"`, "multicast works on no interface of this host", "--registry=etcd", "micro server", "--registry=consul"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("it ended with %v and said\n%s\nwant %q in it", err, out, want)
		}
	}
	reader := start(t, host, "reader")
	reader.sees(t, "live: false")
	host.IP(t, "link", "set", "lo", "up")
	reader.sees(t, "live: true")
	node := start(t, host, "node a 127.0.0.1:80")
	node.sees(t, "registered")
	reader.sees(t, "view: a@127.0.0.1:80")
}
