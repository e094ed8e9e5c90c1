package reload

import (
	"bytes"
	"fmt"
	"os"
	"sync"
)

// source keeps what was last made of the content of some files.
type source[T any] struct {
	paths []string
	parse func(contents [][]byte) (T, error)
	warn  func(text string) // may be nil

	mu      sync.Mutex
	seen    [][]byte // what was last read, usable or not
	good    bool     // value may be used
	value   T
	problem error // why what is in the files now cannot be used
}

// get returns what is in the files now or, if that cannot be used, what was in
// them last. It returns an error only if there never was anything to use.
func (s *source[T]) get() (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.problem
	if contents, err := read(s.paths); err != nil {
		s.seen, s.problem = nil, err
	} else if s.seen == nil || !same(s.seen, contents) {
		s.seen = contents
		value, err := s.parse(contents)
		if s.problem = err; err == nil {
			s.value, s.good = value, true
		}
	}
	if !s.good {
		return s.value, s.problem
	}
	if s.problem != nil && s.warn != nil && (before == nil || before.Error() != s.problem.Error()) {
		s.warn("cannot read anew, and keep what was there before: " + s.problem.Error())
	}
	return s.value, nil
}

// unusable returns why what get last found cannot be used, nil if it can.
func (s *source[T]) unusable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// read returns the content of each file, nil for an empty path.
func read(paths []string) ([][]byte, error) {
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		if path == "" {
			continue
		}
		content, err := readFile(path)
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

// maxSize bounds a file. The system's bundle of all authorities takes a quarter of
// a MiB.
const maxSize = 16 << 20

// readFile reads a regular file. What is in a pipe can be read once only, and reading
// it again would wait for good.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("read %q: it is a directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %q: it is no regular file, which can be read again", path)
	case info.Size() > maxSize:
		return nil, fmt.Errorf("read %q: it has %d bytes, more than %d", path, info.Size(), maxSize)
	}
	return os.ReadFile(path)
}

func same(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// File is what is made of the content of one file. Its methods may be called by several
// goroutines at once.
type File[T any] struct{ made source[T] }

// NewFile returns what parse makes of the file at path. It does not read it yet. warn is
// called with a sentence when the file can no longer be used and what was made of it
// before stays in force; nil means that nobody is told.
func NewFile[T any](path string, parse func(content []byte) (T, error), warn func(text string)) *File[T] {
	return &File[T]{source[T]{paths: []string{path}, warn: warn, parse: func(contents [][]byte) (T, error) { return parse(contents[0]) }}}
}

// Get returns what is in the file now or, if that cannot be used, what was there last.
func (f *File[T]) Get() (T, error) { return f.made.get() }
