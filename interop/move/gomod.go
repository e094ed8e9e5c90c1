package main

import (
	"fmt"
	"slices"

	"golang.org/x/mod/modfile"

	"github.com/rollcall-go/micro/interop/compare"
)

// goVersion is what this module asks for.
const goVersion = "1.26.0"

// held are modules that v2 held at versions which this module cannot live with.
var held = []string{"google.golang.org/grpc", "github.com/coreos/bbolt", "github.com/coreos/etcd", "go.etcd.io/etcd"}

// goMod returns the go.mod of a module that requires v2 with this module in its place, at
// root. One that does not require v2 stays as it is.
func goMod(path string, text []byte, root string) ([]byte, error) {
	f, err := modfile.Parse(path, text, nil)
	if err != nil {
		return nil, err
	}
	requires := false
	for _, r := range slices.Clone(f.Require) {
		if ofV2(r.Mod.Path) {
			requires = true
			if err := f.DropRequire(r.Mod.Path); err != nil {
				return nil, err
			}
		}
	}
	if !requires {
		return text, nil
	}
	for _, r := range slices.Clone(f.Replace) {
		if ofV2(r.Old.Path) || slices.Contains(held, r.Old.Path) {
			if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return nil, err
			}
		}
	}
	if err := f.AddGoStmt(goVersion); err != nil {
		return nil, err
	}
	if err := f.AddRequire(compare.New, "v0.0.0"); err != nil {
		return nil, fmt.Errorf("require %s: %w", compare.New, err)
	}
	if err := f.AddReplace(compare.New, "", root, ""); err != nil {
		return nil, err
	}
	f.Cleanup()
	return f.Format()
}
