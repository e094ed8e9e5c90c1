package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// child is a micro command in a process of its own.
type child struct {
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr bytes.Buffer // to be read after wait
}

// spawn starts the command with env added to the environment. It is killed at the
// end of the test if it still runs.
func spawn(t *testing.T, env []string, args ...string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testkit.Micro(t), args...)
	cmd.Env = append(os.Environ(), env...)
	return newChild(t, cmd)
}

// newChild starts cmd, which is killed at the end of the test if it still runs.
func newChild(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd}
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdout = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	return c
}

// slowness is what etcd says of requests on a machine that has other work to do.
var slowness = regexp.MustCompile(`(?m)^.*  warn  etcd: .*\n`)

// said returns what is on standard error, but for that. Call it after wait.
func (c *child) said() string { return slowness.ReplaceAllString(c.stderr.String(), "") }

// line returns the next line of standard output.
func (c *child) line(t *testing.T) string {
	t.Helper()
	s, err := c.stdout.ReadString('\n')
	if err != nil {
		_ = c.cmd.Wait()
		t.Fatalf("read a line: %v, standard error: %s", err, c.stderr.String())
	}
	return strings.TrimSuffix(s, "\n")
}

// wait returns the exit code and what is left of standard output.
func (c *child) wait(t *testing.T) (code int, rest string) {
	t.Helper()
	b, err := io.ReadAll(c.stdout)
	if err != nil {
		t.Fatal(err)
	}
	err = c.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.cmd.ProcessState.ExitCode(), string(b)
}

var readyLine = regexp.MustCompile(`^etcd 3\.\d+\.\d+ ready on (127\.0\.0\.1:\d+), data in (.+)$`)

func TestServerRunsUntilASignal(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			home := t.TempDir()
			c := spawn(t, []string{"XDG_DATA_HOME=" + home}, "server", "--address", "127.0.0.1:0", "--unsafe_fast")
			ready := readyLine.FindStringSubmatch(c.line(t))
			if ready == nil {
				t.Fatal("there is no ready line")
			}
			addr, dir := ready[1], ready[2]
			if want := filepath.Join(home, "rollcall", "etcd"); dir != want {
				t.Errorf("the data is in %q, want %q", dir, want)
			}
			if hint := c.line(t); !strings.Contains(hint, "--registry=etcd --registry_address="+addr) {
				t.Errorf("no hint how to use it: %q", hint)
			}

			// "a2V5" is "key", "dmFsdWU=" is "value".
			post(t, addr, "/v3/kv/put", `{"key":"a2V5","value":"dmFsdWU="}`)
			if got := post(t, addr, "/v3/kv/range", `{"key":"a2V5"}`); !strings.Contains(got, `"value":"dmFsdWU="`) {
				t.Errorf("the range answered %s", got)
			}

			if err := c.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			code, rest := c.wait(t)
			if code != exitOK || rest != "etcd stopping\n" || c.said() != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, rest, c.stderr.String())
			}
		})
	}
}

func post(t *testing.T, addr, path, body string) string {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://"+addr+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s, %v", path, resp.Status, text, err)
	}
	return string(text)
}

func TestServerFromTheEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	c := spawn(t, []string{"MICRO_ETCD_ADDRESS=127.0.0.1:0", "MICRO_ETCD_DATA_DIR=" + dir, "MICRO_SERVER_ADDRESS=nonsense"}, "server", "--unsafe_fast")
	if ready := readyLine.FindStringSubmatch(c.line(t)); ready == nil || ready[2] != dir {
		t.Fatalf("got %q", ready)
	}
}

func TestServerOnEveryInterface(t *testing.T) {
	c := spawn(t, nil, "server", "--unsafe_fast", "--address", ":0", "--data_dir", filepath.Join(t.TempDir(), "data"))
	c.line(t)
	hint := c.line(t)
	_, address, _ := strings.Cut(hint, "--registry_address=")
	if host, _, err := net.SplitHostPort(address); err != nil || net.ParseIP(host) == nil || net.ParseIP(host).IsUnspecified() {
		t.Errorf("the hint %q names no address to connect to: %v", hint, err)
	}
}

// TestOpenServerWarns shows that who opens etcd to a network is told what
// that means, whatever the level of the log.
func TestOpenServerWarns(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want int // lines on standard error
	}{
		{[]string{"--address", "0.0.0.0:0"}, 1},
		{[]string{"--address", "0.0.0.0:0", "--log_level", "error"}, 1},
		{[]string{"--address", "127.0.0.1:0", "--peer_address", "0.0.0.0:0"}, 1},
		{[]string{"--address", "[::1]:0"}, 0},
	} {
		c := spawn(t, nil, append([]string{"server", "--unsafe_fast", "--data_dir", filepath.Join(t.TempDir(), "data")}, tt.args...)...)
		c.line(t)
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		code, _ := c.wait(t)
		if got := c.said(); code != exitOK || strings.Count(got, "\n") != tt.want || strings.Count(got, "micro: warning: whoever reaches") != tt.want {
			t.Errorf("%q: exit code %d, stderr %q", tt.args, code, got)
		}
	}
}

func TestServerThatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	corrupt := t.TempDir()
	if err := os.MkdirAll(filepath.Join(corrupt, "member", "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(corrupt, "member", "snap", "db"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	running := testkit.StartEtcd(t)

	for _, tt := range []struct{ name, address, dir, want string }{
		{"taken port", taken.Addr().String(), filepath.Join(t.TempDir(), "new"), "another program does already"},
		{"etcd's port", running.Addr(), filepath.Join(t.TempDir(), "new"), "listen on " + running.Addr()},
		{"foreign directory", "127.0.0.1:0", foreign, `it holds "letter.txt"`},
		{"corrupt directory", "127.0.0.1:0", corrupt, "its data is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := spawn(t, nil, "server", "--unsafe_fast", "--address", tt.address, "--data_dir", tt.dir)
			code, stdout := c.wait(t)
			stderr := c.stderr.String()
			if code != exitFailed || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			if stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("want one line on standard error alone, got %q and %q", stdout, stderr)
			}
		})
	}
}
