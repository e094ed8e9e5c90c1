package interop_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// kind says whose framework a program is compiled against.
type kind string

const (
	v2   kind = "v2"
	ours kind = "ours"
)

// other returns the other kind.
func (k kind) other() kind {
	if k == v2 {
		return ours
	}
	return v2
}

var kinds = []kind{v2, ours}

// binary returns the path of the program, which is built once for all tests.
func (k kind) binary(t *testing.T) string {
	t.Helper()
	b, err := builds()
	if err != nil {
		t.Fatal(err)
	}
	return b[k]
}

// builds builds both programs where the next run of the tests finds them too.
var builds = sync.OnceValues(func() (map[kind]string, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	// One place for each checkout and way of building.
	place := filepath.Join(cache, "rollcall-test", fmt.Sprintf("interop-%x", sha256.Sum256(fmt.Append(nil, here, race()))))
	if err := os.MkdirAll(place, 0o755); err != nil {
		return nil, err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(place, "lock")).Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()

	b := map[kind]string{v2: filepath.Join(place, "v2peer"), ours: filepath.Join(place, "ourpeer")}
	if err := build("-C", "v2peer", "-o", b[v2], "."); err != nil {
		return nil, err
	}
	overlay, err := changedImports(here, place)
	if err != nil {
		return nil, err
	}
	args := []string{"-overlay", overlay, "-o", b[ours], "./ourpeer"}
	if race() {
		args = append([]string{"-race"}, args...)
	}
	return b, build(args...)
})

func build(args ...string) error {
	// -C must come first.
	if args[0] == "-C" {
		args = append([]string{"-C", args[1], "build"}, args[2:]...)
	} else {
		args = append([]string{"build"}, args...)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// changedImports copies the sources of v2peer into place, with nothing changed but
// import paths, and returns the overlay that puts them into the directory ourpeer
// for the compiler.
func changedImports(here, place string) (string, error) {
	change := strings.NewReplacer(
		`"github.com/micro/go-micro/v2`, `"github.com/rollcall-go/micro`,
		`"github.com/micro/go-plugins/registry/consul/v2`, `"github.com/rollcall-go/micro/registry/consul`,
		`"github.com/rollcall-go/micro/interop/v2peer/`, `"github.com/rollcall-go/micro/interop/ourpeer/`,
	)
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	source := os.DirFS(filepath.Join(here, "v2peer"))
	err := fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := fs.ReadFile(source, path)
		if err != nil {
			return err
		}
		changed := filepath.Join(place, strings.ReplaceAll(path, "/", "_"))
		overlay.Replace[filepath.Join(here, "ourpeer", filepath.FromSlash(path))] = changed
		return os.WriteFile(changed, []byte(change.Replace(string(text))), 0o644)
	})
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(place, "overlay.json")
	return file, os.WriteFile(file, list, 0o644)
}

// race tells whether these tests run with the race detector, which ours then do
// too. Of v2 it finds races of its own.
func race() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
