package micro_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOldGenprotoInTheGraph builds a program as it is left by a change of import
// paths: with a requirement, its own or that of a library, of a genproto from the
// days before it was split, and nothing done about it.
func TestOldGenprotoInTheGraph(t *testing.T) {
	house, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", fmt.Sprintf(`module example.org/svc

go 1.26.0

require (
	%s v0.0.0
	google.golang.org/genproto v0.0.0-20191216164720-4f79533eabd1
)

replace %[1]s => %s
`, module, house))
	write("main.go", fmt.Sprintf("package main\n\nimport %q\n\nfunc main() { _ = micro.NewService() }\n", module))
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sums))
	build := exec.Command("go", "build", "-o", os.DevNull, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
