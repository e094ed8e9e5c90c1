package compare

import (
	"errors"
	"fmt"
	"go/types"

	"golang.org/x/tools/go/packages"
)

// Load returns the types of the packages that patterns name, by import path. The
// go command runs in dir, so that the versions of that module apply. Beside an
// error it returns those that could be loaded.
func Load(dir string, patterns ...string) (map[string]*types.Package, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedExportFile,
		Dir:  dir,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load packages in %s: %w", dir, err)
	}
	all := make(map[string]*types.Package, len(loaded))
	for _, p := range loaded {
		for _, e := range p.Errors {
			err = errors.Join(err, fmt.Errorf("load %s: %w", p.PkgPath, e))
		}
		if len(p.Errors) == 0 {
			all[p.PkgPath] = p.Types
		}
	}
	return all, err
}

// List returns the import paths that patterns name and that can be imported,
// whether they compile or not.
func List(dir string, patterns ...string) ([]string, error) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName, Dir: dir}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("list packages in %s: %w", dir, err)
	}
	var all []string
	for _, p := range loaded {
		all = append(all, p.PkgPath)
	}
	return all, nil
}
