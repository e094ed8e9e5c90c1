package micro_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestImportingDoesNothing runs a program that imports every public package and
// counts what is there when main begins.
func TestImportingDoesNothing(t *testing.T) {
	count := func(imports ...string) string {
		var src strings.Builder
		src.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"runtime\"\n")
		for _, i := range imports {
			fmt.Fprintf(&src, "\t_ %q\n", i)
		}
		src.WriteString(`)

func main() {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fds, err = os.ReadDir("/dev/fd")
	}
	fmt.Println("goroutines", runtime.NumGoroutine(), "descriptors", len(fds), err)
}
`)
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(src.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "run", file).CombinedOutput()
		if err != nil {
			t.Fatalf("run a program that imports %v: %v\n%s", imports, err, out)
		}
		return string(out)
	}
	var public, libraries []string
	for _, p := range list(t, "./...") {
		// registrytest is for tests only and brings package testing along.
		if p.Name != "main" && !strings.Contains(p.ImportPath, "/internal/") && !strings.HasSuffix(p.ImportPath, "test") && len(p.GoFiles) > 0 {
			public = append(public, p.ImportPath)
		}
	}
	for _, p := range list(t, append([]string{"-deps"}, public...)...) {
		for _, imp := range p.Imports {
			host, _, _ := strings.Cut(imp, "/")
			if ours(p.ImportPath) && strings.Contains(host, ".") && !ours(imp) && !strings.Contains(imp, "/internal/") {
				libraries = append(libraries, imp)
			}
		}
	}
	slices.Sort(libraries)
	if len(public) < 15 {
		t.Fatalf("found only %v", public)
	}
	// grpc's packages wake the runtime's poller when they are imported: the measure
	// is the same program with the libraries that we build on and nothing of ours.
	base := count(slices.Compact(libraries)...)
	if got := count(public...); got != base {
		t.Errorf("importing has effects: %s without our packages: %s", got, base)
	}
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// TestOnePackageComment holds every directory to exactly one package comment.
func TestOnePackageComment(t *testing.T) {
	for _, p := range list(t, "./...") {
		var commented []string
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" {
				commented = append(commented, name)
			}
		}
		if len(commented) != 1 && len(p.GoFiles) > 0 {
			t.Errorf("%s: package comments in %v, want exactly one", p.ImportPath, commented)
		}
	}
}
