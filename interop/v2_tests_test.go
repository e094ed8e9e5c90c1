package interop_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/interop/compare"
)

// TestPassesTestsOfV2 runs v2's own tests, with nothing changed but import paths, against
// this module: they take the place of ours for the compiler. v2Tests says which do not
// pass, or cannot be built, and why.
func TestPassesTestsOfV2(t *testing.T) {
	t.Parallel()
	overlay := newOverlay(t)
	args := []string{"-C", overlay.root, "test", "-json", "-count=1", "-timeout=60s", "-vet=off", "-overlay", overlay.file()}
	want := map[string]string{} // by package and test: why it does not pass
	found := map[string]bool{}
	var skip []string
	for _, pkg := range v2Tests {
		dir := overlay.addTests(pkg, found)
		args = append(args, dir)
		for name, why := range pkg.fail {
			want[path.Join(compare.New, dir)+"."+name] = why
		}
		skip = slices.AppendSeq(skip, maps.Keys(pkg.skip))
	}
	overlay.checkTable()
	overlay.addHelpers("server/grpc/proto", "service/grpc/proto", "util/test")
	overlay.addStandIns()
	overlay.writeList()
	if len(skip) > 0 {
		args = slices.Insert(args, 3, "-skip", "^("+strings.Join(skip, "|")+")$")
	}
	var said, wrong bytes.Buffer
	run := exec.CommandContext(t.Context(), "go", args...)
	run.Stdout, run.Stderr = &said, &wrong
	err := run.Run() // fails if one test does
	for e := range testEvents(t, &said) {
		name := e.Package + "." + e.Test
		why, mayFail := want[name]
		switch {
		case e.Test == "" && e.Action == "fail" && e.FailedBuild != "":
			t.Errorf("%s does not build:\n%s", e.Package, wrong.String()+e.build.String())
		case e.Test == "" || strings.Contains(e.Test, "/"):
		case e.Action == "pass" && mayFail:
			t.Errorf("%s passes: it is said that it does not, since %s", name, why)
		case e.Action == "fail" && !mayFail:
			t.Errorf("%s does not pass:\n%s", name, e.output.String())
		}
		if e.Action == "pass" || e.Action == "fail" {
			delete(found, name)
		}
	}
	if len(found) > 0 {
		t.Errorf("%d tests did not run: %v\n%s%s", len(found), err, strings.Join(slices.Sorted(maps.Keys(found)), "\n"), wrong.String())
	}
}

// v2Package has v2's tests of a package.
type v2Package struct {
	old string
	// files are those that cannot be built, fail the tests that do not pass, and skip
	// those that would not end: each with why.
	files, fail, skip map[string]string
	// link is a package of ours that the tests' program is to have in it: what v2's default
	// of an interface was made by.
	link string
}

// testEvent is a line of go test -json.
type testEvent struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string

	output, build *strings.Builder
}

// testEvents returns the ends of tests and packages, with what was written until then.
func testEvents(t *testing.T, from *bytes.Buffer) func(yield func(testEvent) bool) {
	return func(yield func(testEvent) bool) {
		output, build := map[string]*strings.Builder{}, &strings.Builder{}
		for d := json.NewDecoder(from); d.More(); {
			var e testEvent
			if err := d.Decode(&e); err != nil {
				t.Fatal(err)
			}
			key := e.Package + "." + e.Test
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			switch e.Action {
			case "build-output":
				build.WriteString(e.Output)
			case "output":
				output[key].WriteString(e.Output)
			case "pass", "fail", "skip":
				e.output, e.build = output[key], build
				if !yield(e) {
					return
				}
			}
		}
	}
}

// overlay puts v2's files in the place of ours.
type overlay struct {
	t            *testing.T
	theirs, root string // the roots of both modules
	place        string
	replace      map[string]string
}

func newOverlay(t *testing.T) *overlay {
	t.Helper()
	out, err := exec.Command("go", "-C", "v2peer", "list", "-m", "-f", "{{.Dir}}", compare.Old).Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return &overlay{t, strings.TrimSpace(string(out)), root, t.TempDir(), map[string]string{}}
}

func (o *overlay) file() string { return filepath.Join(o.place, "overlay.json") }

func (o *overlay) writeList() {
	o.t.Helper()
	list, err := json.Marshal(struct{ Replace map[string]string }{o.replace})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(o.file(), list, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(\w+ \*testing\.T\)`)

// addTests puts v2's tests of a package in the place of ours, and returns its directory.
// It adds to found the tests that are to run.
func (o *overlay) addTests(pkg v2Package, found map[string]bool) string {
	o.t.Helper()
	home, why := compare.Home(path.Join(compare.Old, pkg.old))
	if home == "" {
		o.t.Fatalf("%s is not here: %s", pkg.old, why)
	}
	rel := "." + strings.TrimPrefix(home, compare.New)
	dir := filepath.Join(o.root, filepath.FromSlash(rel))
	for _, ours := range testsIn(o.t, dir) {
		o.replace[ours] = "" // for the compiler it is not there
	}
	for _, file := range testsIn(o.t, filepath.Join(o.theirs, filepath.FromSlash(pkg.old))) {
		if pkg.files[filepath.Base(file)] != "" {
			continue
		}
		text := o.add(file, dir)
		for _, m := range testFunction.FindAllSubmatch(text, -1) {
			if name := string(m[1]); pkg.skip[name] == "" {
				found[home+"."+name] = true
			}
		}
	}
	if pkg.link != "" {
		o.addLink(dir, pkg.link)
	}
	return "./" + strings.TrimPrefix(rel, "./")
}

// addLink has the tests of a directory link a package of ours.
func (o *overlay) addLink(dir, pkg string) {
	o.t.Helper()
	text := fmt.Sprintf("package %s_test\n\nimport _ %q\n", filepath.Base(dir), path.Join(compare.New, pkg))
	o.write(filepath.Join(dir, "link_test.go"), []byte(text))
}

// checkTable fails the test if a package of v2 has tests and a home here, and is not in v2Tests.
func (o *overlay) checkTable() {
	o.t.Helper()
	if err := filepath.WalkDir(o.theirs, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || len(testsIn(o.t, dir)) == 0 {
			return err
		}
		old, err := filepath.Rel(o.theirs, dir)
		if err != nil {
			return err
		}
		old = filepath.ToSlash(old)
		home, _ := compare.Home(path.Join(compare.Old, old))
		if home != "" && !slices.ContainsFunc(v2Tests, func(p v2Package) bool { return p.old == old }) {
			o.t.Errorf("%s has tests in v2 and a home here, and is not in v2Tests", old)
		}
		return nil
	}); err != nil {
		o.t.Fatal(err)
	}
}

// addHelpers adds packages of v2 that its tests use.
func (o *overlay) addHelpers(old ...string) {
	o.t.Helper()
	for _, pkg := range old {
		files, err := filepath.Glob(filepath.Join(o.theirs, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			o.t.Fatal(err)
		}
		for _, file := range files {
			o.add(file, filepath.Join(o.root, helpers, filepath.FromSlash(pkg)))
		}
	}
}

// helpers is where v2's tests find what addHelpers and addStandIns add.
const helpers = "v2helpers"

// standIns are what v2's tests use of modules that this one does not require.
var standIns = map[string]string{
	"github.com/kr/pretty": `package pretty

func Formatter(v any) any { return v }`,
	"github.com/davecgh/go-spew/spew": `package spew

import "fmt"

func Sdump(v ...any) string { return fmt.Sprintf("%+v", v) }`,
}

// addStandIns adds the packages that standIns has.
func (o *overlay) addStandIns() {
	o.t.Helper()
	for old, text := range standIns {
		o.write(filepath.Join(o.root, helpers, path.Base(old), "standin.go"), []byte(text))
	}
}

// add adds a file of v2 to a directory of ours, and returns what it is changed to.
func (o *overlay) add(file, dir string) []byte {
	o.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		o.t.Fatal(err)
	}
	text = compare.Rewrite(text, func(old string) (string, string) {
		if standIns[old] != "" {
			return compare.New + "/" + helpers + "/" + path.Base(old), ""
		}
		if home, why := compare.Home(old); home != "" || why == "" {
			return home, ""
		}
		return compare.New + "/" + helpers + strings.TrimPrefix(old, compare.Old), ""
	}, nil)
	o.write(filepath.Join(dir, filepath.Base(file)), text)
	return text
}

// write gives the compiler a file of this text.
func (o *overlay) write(file string, text []byte) {
	o.t.Helper()
	place := filepath.Join(o.place, fmt.Sprintf("%d_%s", len(o.replace), filepath.Base(file)))
	if err := os.WriteFile(place, text, 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.replace[file] = place
}

func testsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(files, cmp.Compare[string])
	return files
}
