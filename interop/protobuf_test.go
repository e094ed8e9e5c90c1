package interop_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/rollcall-go/micro"
	_ "github.com/rollcall-go/micro/compat/api/proto"
	_ "github.com/rollcall-go/micro/debug/service/proto"
)

var (
	protoPackage = regexp.MustCompile(`(?m)^package ([\w.]+);`)
	protoType    = regexp.MustCompile(`(?m)^\s*(?:message|enum|service) (\w+)`)
)

// TestNothingTakesNamesOfV2 looks in protobuf's registry, which takes a name once and ends
// a program that gives it twice, for the names of v2's own .proto files: a program may
// link both frameworks.
func TestNothingTakesNamesOfV2(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "-C", "v2peer", "list", "-m", "-f", "{{.Dir}}", "github.com/micro/go-micro/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, files := strings.TrimSpace(string(out)), 0
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".proto" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, name := range []string{rel, "github.com/micro/go-micro/" + rel, "github.com/micro/go-micro/v2/" + rel} {
			if _, err := protoregistry.GlobalFiles.FindFileByPath(filepath.ToSlash(name)); err == nil {
				t.Errorf("the file %s of v2 is registered by us", name)
			}
		}
		prefix := ""
		if found := protoPackage.FindSubmatch(text); found != nil {
			prefix = string(found[1]) + "."
		}
		for _, found := range protoType.FindAllSubmatch(text, -1) {
			name := protoreflect.FullName(prefix + string(found[1]))
			if _, err := protoregistry.GlobalFiles.FindDescriptorByName(name); err == nil {
				t.Errorf("%s of %s is registered by us", name, rel)
			}
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("%d .proto files were found in %s: %v", files, root, err)
	}
}
