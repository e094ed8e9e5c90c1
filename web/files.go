package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rollcall-go/micro/logger"
)

// files are the files of one directory, as http.FileServer wants them. It hands out what
// lies in the directory and nothing else: no link leads out of it, directories without
// an index.html are not listed, and names that begin with a dot are not there, but for
// .well-known.
//
// The directory is found anew for each request, so that another one can be put in its
// place while the service runs.
type files struct{ dir string }

// newFiles returns the files of dir, nil if there is no such directory; that is said if
// the program asked for it.
func newFiles(dir string, asked bool) (http.FileSystem, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("serve the files in %q: %w", dir, err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if asked {
			logger.Warnf("Server [web] Serves no files: there is no directory %q", abs)
		}
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("serve the files in %q: %w", dir, err)
	case !info.IsDir():
		return nil, fmt.Errorf("serve the files in %q: it is no directory; give one with the option StaticDir", dir)
	}
	logger.Infof("Server [web] Serving the files in %s", abs)
	return files{abs}, nil
}

// Open opens a file for reading.
func (f files) Open(name string) (http.File, error) {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != ".well-known" {
			return nil, fs.ErrNotExist
		}
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fs.ErrNotExist // the directory was taken away
	}
	defer root.Close()
	if name == "" {
		name = "."
	}
	name = filepath.FromSlash(name)
	info, err := root.Stat(name) // before it is opened: to open a pipe may take for ever
	switch {
	case err != nil:
		return nil, hidden(err)
	case info.IsDir():
		if _, err := root.Stat(filepath.Join(name, "index.html")); err != nil {
			return nil, fs.ErrNotExist
		}
	case !info.Mode().IsRegular():
		return nil, fs.ErrNotExist
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, hidden(err)
	}
	return file, nil
}

// hidden tells a file that may not be read from one that is not there, and nothing more:
// a link that leads out of the directory is not there either.
func hidden(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fs.ErrPermission
	}
	return fs.ErrNotExist
}
