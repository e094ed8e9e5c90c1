package interop_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigPassesTestsOfV2 runs v2's own tests of config, with nothing changed but
// import paths, against this module: they take the place of ours for the compiler.
// Left out are those of config/secrets, which is not kept.
func TestConfigPassesTestsOfV2(t *testing.T) {
	t.Parallel()
	const before = "github.com/micro/go-micro/v2"
	out, err := exec.Command("go", "-C", "v2peer", "list", "-m", "-f", "{{.Dir}}", before).Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(strings.TrimSpace(string(out)), "config")
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	change := strings.NewReplacer(`"`+before, `"github.com/rollcall-go/micro`, `"github.com/micro/cli/v2"`, `"github.com/urfave/cli/v2"`)
	place := t.TempDir()
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	packages := []string{".", "reader", "reader/json", "source/cli", "source/env", "source/file", "source/flag"}
	args := []string{"-C", root, "test", "-v", "-count=1", "-overlay", filepath.Join(place, "overlay.json")}
	tests := 0
	for _, pkg := range packages {
		dir := filepath.Join(root, "config", filepath.FromSlash(pkg))
		args = append(args, "./config/"+pkg)
		for _, ours := range testsIn(t, dir) {
			overlay.Replace[ours] = "" // for the compiler it is not there
		}
		for _, file := range testsIn(t, filepath.Join(theirs, filepath.FromSlash(pkg))) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests += strings.Count(string(text), "\nfunc Test")
			changed := filepath.Join(place, strings.ReplaceAll(pkg, "/", "_")+"_"+filepath.Base(file))
			if err := os.WriteFile(changed, []byte(change.Replace(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay.Replace[filepath.Join(dir, filepath.Base(file))] = changed
		}
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "overlay.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("go", args...).CombinedOutput()
	if passed := strings.Count(string(said), "\n--- PASS"); err != nil || passed != tests || tests == 0 {
		t.Errorf("%d of %d tests pass: %v\n%s", passed, tests, err, said)
	}
}

func testsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
