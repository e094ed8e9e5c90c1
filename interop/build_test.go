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
	// renewed is ours with code by the generator of today in the place of v2's.
	renewed kind = "renewed"
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
	path, err := builds[k]()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var builds = map[kind]func() (string, error){
	v2:      sync.OnceValues(func() (string, error) { return buildProgram(v2) }),
	ours:    sync.OnceValues(func() (string, error) { return buildProgram(ours) }),
	renewed: sync.OnceValues(func() (string, error) { return buildProgram(renewed) }),
}

// workshop is where the next run of the tests finds what this one builds.
type workshop struct {
	here   string // the directory of the tests
	place  string
	unlock func() // lets others build there
}

// openWorkshop returns the workshop of a name once nobody else builds in it.
func openWorkshop(name string) (w workshop, err error) {
	if w.here, err = os.Getwd(); err != nil {
		return w, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return w, err
	}
	// One place for each checkout and way of building. Another name than that of before, where
	// a program stood in the place of its directory.
	w.place = filepath.Join(cache, "rollcall-test", fmt.Sprintf("peers-%x", sha256.Sum256(fmt.Append(nil, w.here, race()))), name)
	if err := os.MkdirAll(w.place, 0o755); err != nil {
		return w, err
	}
	w.unlock, err = lockedfile.MutexAt(filepath.Join(w.place, "lock")).Lock()
	return w, err
}

// buildPeer builds the program of a module below this one.
func buildPeer(module, name string) (string, error) {
	w, err := openWorkshop(module)
	if err != nil {
		return "", err
	}
	defer w.unlock()
	binary := filepath.Join(w.place, name)
	return binary, build("-C", module, "-o", binary, ".")
}

// buildProgram builds the program of a kind.
func buildProgram(k kind) (string, error) {
	if k == v2 {
		return buildPeer("v2peer", "peer")
	}
	w, err := openWorkshop(string(k))
	if err != nil {
		return "", err
	}
	defer w.unlock()
	here, place := w.here, w.place

	binary := filepath.Join(place, "peer")
	source := os.DirFS(filepath.Join(here, "v2peer"))
	replaced := map[string]string{}
	if err := changeImports(replaced, source, here, place); err != nil {
		return "", err
	}
	if k == renewed {
		const generated = "greeterpb/greeter.pb.micro.go"
		replaced[filepath.Join(here, "ourpeer", filepath.FromSlash(generated))] = filepath.Join(here, "testdata", filepath.FromSlash(generated))
	}
	list, err := json.Marshal(struct{ Replace map[string]string }{replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(place, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o644); err != nil {
		return "", err
	}
	args := []string{"-overlay", overlay, "-o", binary, "./ourpeer"}
	if race() {
		args = append([]string{"-race"}, args...)
	}
	return binary, build(args...)
}

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

// changeImports copies the sources of v2peer into place, with nothing changed but
// import paths, and adds to an overlay what puts them into the directory ourpeer for
// the compiler.
func changeImports(replaced map[string]string, source fs.FS, here, place string) error {
	change := strings.NewReplacer(
		`"github.com/micro/go-micro/v2`, `"github.com/rollcall-go/micro`,
		`"github.com/micro/go-plugins/registry/consul/v2`, `"github.com/rollcall-go/micro/registry/consul`,
		`"github.com/rollcall-go/micro/interop/v2peer/`, `"github.com/rollcall-go/micro/interop/ourpeer/`,
	)
	return fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := fs.ReadFile(source, path)
		if err != nil {
			return err
		}
		changed := filepath.Join(place, strings.ReplaceAll(path, "/", "_"))
		replaced[filepath.Join(here, "ourpeer", filepath.FromSlash(path))] = changed
		return os.WriteFile(changed, []byte(change.Replace(string(text))), 0o644)
	})
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
