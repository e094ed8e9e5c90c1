package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxSize bounds a file. 100,000 nodes of one service take half of it.
const maxSize = 64 << 20

// read returns what is in the file, if it is one that can be believed. It never
// waits, which reading something else than a file might.
func read(path string) (text []byte, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|dontWait, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case info.Size() > maxSize:
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxSize)
	}
	if err := checkDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := checkOwner(info); err != nil {
		return nil, err
	}
	if bits := info.Mode().Perm() & othersWrite; bits != 0 {
		return nil, fmt.Errorf("its mode %v lets others write it, make it 0600", info.Mode().Perm())
	}
	text, err = io.ReadAll(io.LimitReader(f, maxSize+1)) // it may be growing
	if len(text) > maxSize {
		return nil, fmt.Errorf("it has more than %d bytes", maxSize)
	}
	return text, err
}

// checkDir returns why no file in the directory can be believed.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := checkOwner(info); err != nil {
		return fmt.Errorf("use directory %q: %w", dir, err)
	}
	if mode := info.Mode(); mode&everybodyWrites != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("use directory %q: its mode %v lets everybody replace what is in it; make it 0700, or name a directory in it", dir, mode.Perm())
	}
	return nil
}
