package interop_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// tool is the tool of go-micro v2, release v2.9.3 of micro, with the etcd of a test as
// its registry.
type tool struct {
	binary string
	env    []string
}

// buildTool returns the path of the tool, which is built once.
var buildTool = sync.OnceValues(func() (string, error) { return buildPeer("micro", "micro") })

// newTool returns the tool for an etcd. It keeps its files in a folder of the test.
func newTool(t *testing.T, etcd string) tool {
	t.Helper()
	binary, err := buildTool()
	if err != nil {
		t.Fatal(err)
	}
	m := tool{binary: binary, env: []string{
		"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "MICRO_REGISTRY=etcd", "MICRO_REGISTRY_ADDRESS=" + etcd,
	}}
	m.run(t, "env", "set", "local") // else it asks a service of the platform for everything
	return m
}

func (m tool) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.binary, args...)
	cmd.Env = m.env
	cmd.WaitDelay = time.Second
	return cmd
}

// run returns what the tool prints. It fails the test if the tool fails.
func (m tool) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), replyTimeout)
	defer cancel()
	out, err := m.command(ctx, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("micro %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// listening is the line by which the tool says where it serves HTTP.
var listening = regexp.MustCompile(`HTTP API Listening on (127\.0\.0\.1:\d+)`)

// serve starts the tool as a server, which ends with the test, and returns where it
// serves HTTP.
func (m tool) serve(t *testing.T, args ...string) (address string) {
	t.Helper()
	var text log
	cmd := m.command(context.Background(), append(args, "--address=127.0.0.1:0")...) // until the test ends
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(replyTimeout):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("output of micro %s:\n%s", strings.Join(args, " "), text.String())
		}
	})
	testkit.Passes(t, replyTimeout, "micro "+strings.Join(args, " ")+" serves", func() error {
		found := listening.FindStringSubmatch(text.String())
		if found == nil {
			return errors.New("it has not said where")
		}
		address = found[1]
		return nil
	})
	return address
}

// TestToolIsRelease holds the module of the tool to the release that these tests speak of.
func TestToolIsRelease(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("micro", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("github.com/micro/micro/v2 v2.9.3\n")) {
		t.Error("the tool is not that of v2.9.3")
	}
}
