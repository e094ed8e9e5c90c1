package micro_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityModelNamesItsTests keeps docs/SECURITY-MODEL.md true: each bound there
// has a test that exists.
func TestSecurityModelNamesItsTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "SECURITY-MODEL.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)").FindAllSubmatch(text, -1)
	if len(named) < 30 {
		t.Fatalf("it names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "\nfunc "+string(name[1])+"(t *testing.T)") {
			t.Errorf("there is no %s", name[1])
		}
	}
}
