// Command move changes a module of go-micro v2 into one of this module, as far as import
// paths and go.mod say it:
//
//	go run ./move -root ../.. DIRECTORY...
//
// Each directory below which there is a go.mod is changed in place; -root is the checkout
// of this module that they are to use. What has no home here keeps its path and is
// listed. It is for trying out what a change of paths does to a program.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/interop/compare"
)

func main() {
	root := flag.String("root", "", "checkout of this module, for a replace directive")
	flag.Parse()
	if err := run(*root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "move:", err)
		os.Exit(1)
	}
}

func run(root string, dirs []string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		left := map[string]string{}
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "vendor" || d.Name() == ".git"):
				return fs.SkipDir
			case d.Name() == "go.mod":
				return changeFile(path, func(text []byte) ([]byte, error) { return goMod(path, text, root) })
			case filepath.Ext(path) == ".go" && d.Type().IsRegular():
				return changeFile(path, func(text []byte) ([]byte, error) { return compare.Rewrite(text, compare.Home, left), nil })
			}
			return nil
		}); err != nil {
			return fmt.Errorf("change %s: %w", dir, err)
		}
		for _, path := range slices.Sorted(maps.Keys(left)) {
			fmt.Printf("%s: %s stays: %s\n", dir, path, left[path])
		}
	}
	return nil
}

func changeFile(path string, change func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := change(text)
	if err != nil || string(changed) == string(text) {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, changed, info.Mode())
}

// ofV2 reports whether a module is one of v2's that nothing needs once paths are changed,
// or that can no longer be had.
func ofV2(module string) bool {
	for _, prefix := range []string{"github.com/micro/go-micro", "github.com/micro/go-plugins", "github.com/micro/cli", "github.com/micro/micro/v2", "github.com/micro/protoc-gen-micro"} {
		if module == prefix || strings.HasPrefix(module, prefix+"/") {
			return true
		}
	}
	return false
}
