package testkit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// microVariable names a ready built micro command. Without it the command is
// built from this module's source.
const microVariable = "ROLLCALL_MICRO"

// oldEtcdVariable names a ready built etcd 3.3. Without it the one in tools/etcd-3.3
// is built.
const oldEtcdVariable = "ROLLCALL_ETCD_33"

// debianEtcd is where Debian's package puts its etcd.
const debianEtcd = "/usr/bin/etcd"

// binaryOf returns the program that is an etcd of kind k.
func binaryOf(t testing.TB, k Kind) string {
	t.Helper()
	switch k {
	case Ours:
		return Micro(t)
	case Debian:
		Require(t, "etcd "+string(k), executable(debianEtcd))
		return debianEtcd
	case Old:
		path, err := oldEtcd()
		Require(t, "etcd "+string(k), err)
		return path
	default:
		t.Fatalf("start etcd: unknown kind %q", k)
		return ""
	}
}

// Micro returns the path of the micro command: the one that ROLLCALL_MICRO names,
// or one built from this module's source. The test processes of a machine share
// what was built.
func Micro(t testing.TB) string {
	t.Helper()
	path, err := micro()
	if err != nil {
		t.Fatalf("build the micro command, or name one in %s: %v", microVariable, err)
	}
	return path
}

// micro and oldEtcd find or build once in a process.
var (
	micro = sync.OnceValues(func() (string, error) {
		return program(microVariable, "micro", "", "./cmd/micro")
	})
	oldEtcd = sync.OnceValues(func() (string, error) {
		return program(oldEtcdVariable, "etcd-3.3", filepath.Join("tools", "etcd-3.3"), ".")
	})
)

// program returns the path of what the variable names or, if it is not set, of the
// named program that is built from a package of the module in folder.
func program(variable, name, folder, pkg string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, executable(path)
	}
	dir, err := goTool("list", "-m", "-f", "{{.Dir}}", "github.com/rollcall-go/micro")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	// One for each checkout of the source.
	place := filepath.Join(cache, "rollcall-test", fmt.Sprintf("%x", sha256.Sum256([]byte(dir)))[:12])
	if err := os.MkdirAll(place, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(place, "lock")).Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(place, name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	// The Go tool leaves a binary that is up to date as it is.
	_, err = goTool("build", "-C", filepath.Join(dir, folder), "-o", path, pkg)
	return path, err
}

// goTool runs the go command and returns what it printed.
func goTool(args ...string) (string, error) { return goToolWith(nil, args...) }

// goToolWith is goTool with more variables in its environment.
func goToolWith(env []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
