package e2e

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/rollcall-go/micro/internal/testkit"
)

// programs returns the directory with the programs of this package, built.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := buildPrograms()
	if err != nil {
		t.Fatalf("build the programs: %v", err)
	}
	return dir
}

// startProgram starts a program; it is killed at the end of the test at the latest.
func startProgram(t *testing.T, name string, args ...string) *testkit.Process {
	t.Helper()
	return testkit.StartProcess(t, exec.Command(filepath.Join(programs(t), name), args...))
}

var buildPrograms = sync.OnceValues(func() (string, error) {
	return build(".", "./programs/service", "./programs/client", "./programs/plain", "./programs/relay", "./programs/known")
})

// buildGrpcurl builds grpcurl, whose module must be downloaded first.
var buildGrpcurl = sync.OnceValues(func() (string, error) {
	return build("../tools/grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl")
})

// build builds packages of the module in dir and returns where they are. The test
// processes of a machine share what was built; what is up to date is left alone.
func build(dir string, packages ...string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	place := filepath.Join(cache, "rollcall-test", fmt.Sprintf("%x", sha256.Sum256([]byte(abs)))[:12])
	if err := os.MkdirAll(place, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(place + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	out, err := exec.Command("go", append([]string{"build", "-C", dir, "-o", place + string(filepath.Separator)}, packages...)...).CombinedOutput()
	if err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return place, nil
}
