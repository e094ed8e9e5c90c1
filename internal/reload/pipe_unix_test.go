//go:build unix

package reload

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWhatIsNoFile shows that nobody waits for a pipe that is named as a file, or
// reads without end.
func TestWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, large, "")
	if err := os.Truncate(large, maxSize+1); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, large, "/dev/zero", dir} {
		if _, err := NewPassword(path, nil).Get(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("a password from %s: %v", path, err)
		}
		if err := (Files{CA: path}).Check(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("authorities from %s: %v", path, err)
		}
	}
}
