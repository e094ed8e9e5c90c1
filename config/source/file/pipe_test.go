//go:build unix

package file

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe loads from a pipe, as a shell's <(command) is, what can be read once alone.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	do(t, syscall.Mkfifo(path, 0o600))
	s := NewSource(WithPath(path))
	w, err := s.Watch()
	do(t, err)
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte(`{"n":1}`), 0) }()
	set, err := s.Read()
	if err != nil || string(set.Data) != `{"n":1}` {
		t.Errorf("got %+v, %v", set, err)
	}
	do(t, <-written)
	do(t, w.Stop())
}
