package testkit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// consulVariable names a ready built Consul. Without it the one of tools/consul is
// built.
const consulVariable = "ROLLCALL_CONSUL"

// consulBinary returns the program that is a Consul agent. A test is skipped by
// Require where it cannot be built.
func consulBinary(t testing.TB) string {
	t.Helper()
	path, err := consul()
	Require(t, "consul", err)
	return path
}

// consul finds or builds once in a process.
var consul = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(consulVariable); path != "" {
		return path, executable(path)
	}
	root, err := goTool("list", "-m", "-f", "{{.Dir}}", "github.com/rollcall-go/micro")
	if err != nil {
		return "", err
	}
	return buildConsul(filepath.Join(root, "tools", "consul"))
})

// buildConsul returns the Consul that the module in dir names. It takes minutes of
// processor time to build, so all checkouts on a machine share one, which stays as
// long as the module's sums do.
func buildConsul(dir string) (string, error) {
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	place := filepath.Join(cache, "rollcall-test", fmt.Sprintf("consul-%x", sha256.Sum256(sums))[:19])
	if err := os.MkdirAll(place, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(place, "lock")).Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(place, "consul")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	err = executable(path)
	if !errors.Is(err, os.ErrNotExist) {
		return path, err
	}
	// What an interrupted build leaves behind is not taken for a program.
	unfinished := path + ".unfinished"
	// What the machine says about its own builds (-race, -mod=vendor, a workspace) is
	// nothing to this module.
	own := []string{"CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off"}
	if _, err := goToolWith(own, "build", "-C", dir, "-ldflags=-s -w", "-o", unfinished, "github.com/hashicorp/consul"); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, path)
}
