package snapshot

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// small is a variable of the environment that tells the child of TestAFullDisk where the
// file is.
const small = "ROLLCALLTEST_SMALL_DISK"

// TestAFullDisk has a child, whose files may not grow as on a disk that is full, keep what
// does not fit: the file before it stays whole, and nothing else is left.
func TestAFullDisk(t *testing.T) {
	if path := os.Getenv(small); path != "" {
		onSmallDisk(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "snapshot")
	s := filled(`{"a":1}`)
	if _, err := NewSource(s, path).Read(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAFullDisk$")
	cmd.Env = append(os.Environ(), small+"="+path)
	if code := testkit.StartProcess(t, cmd).Wait(t, time.Minute); code != 0 {
		t.Fatalf("the child ended with %d", code)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file became %q, %v", after, err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left are %v, %v", files, err)
	}
	s.err = errAway
	if set, err := NewSource(s, path).Read(); err != nil || string(set.Data) != `{"a":1}` {
		t.Errorf("got %+v, %v", set, err)
	}
}

func onSmallDisk(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ)
	const most = 1 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		t.Fatal(err)
	}
	large := `{"a":"` + strings.Repeat("x", 10*most) + `"}`
	if set, err := NewSource(filled(large), path).Read(); err != nil || string(set.Data) != large {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path+".proof", []byte(large), 0o600); err == nil {
		t.Error("the disk is not full")
	}
	if err := os.Remove(path + ".proof"); err != nil {
		t.Error(err)
	}
}
