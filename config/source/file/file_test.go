package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// told is a Watcher whose news arrive in a channel.
type told struct {
	t    *testing.T
	news chan string
}

func watch(t *testing.T, path string) told {
	t.Helper()
	w, err := NewSource(WithPath(path)).Watch()
	if err != nil {
		t.Fatal(err)
	}
	to := told{t, make(chan string, 100)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			set, err := w.Next()
			if err != nil {
				if !errors.Is(err, source.ErrWatcherStopped) {
					t.Error(err)
				}
				return
			}
			to.news <- string(set.Data)
		}
	}()
	t.Cleanup(func() {
		if err := errors.Join(w.Stop(), w.Stop()); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return to
}

// once waits for want and fails at anything else.
func (to told) once(want string) {
	to.t.Helper()
	select {
	case got := <-to.news:
		if got != want {
			to.t.Fatalf("heard %q, want %q", got, want)
		}
	case <-time.After(30 * time.Second):
		to.t.Fatalf("heard nothing, want %q", want)
	}
}

// finally waits for want and lets what it begins with pass.
func (to told) finally(want string) {
	to.t.Helper()
	for got := range to.news {
		if got == want {
			return
		}
		if !strings.HasPrefix(want, got) {
			to.t.Fatalf("heard %q, want %q", got, want)
		}
	}
}

// nothing fails if something was told that once has not taken.
func (to told) nothing() {
	to.t.Helper()
	select {
	case got := <-to.news:
		to.t.Fatalf("heard %q", got)
	default:
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.YAML")
	write(t, path, "a: 1\n")
	set, err := NewSource(WithPath(path)).Read()
	if err != nil || set.Format != "yaml" || string(set.Data) != "a: 1\n" || set.Source != "file" || set.Checksum != set.Sum() || set.Timestamp.IsZero() {
		t.Errorf("got %+v, %v", set, err)
	}
	bare := filepath.Join(t.TempDir(), "conf.d")
	do(t, os.Mkdir(bare, 0o700))
	write(t, filepath.Join(bare, "app"), "{}")
	if set, err := NewSource(WithPath(filepath.Join(bare, "app"))).Read(); err != nil || set.Format != "json" {
		t.Errorf("without an ending: %+v, %v", set, err)
	}
	if err := NewSource().Write(set); !errors.Is(err, source.ErrReadOnly) {
		t.Errorf("Write: %v", err)
	}
}

// TestEditors saves as editors do: each save is one reload, and files beside it none.
func TestEditors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.json")
	write(t, path, "0")
	to := watch(t, path)
	for i, save := range []func(text string){
		func(text string) { write(t, path, text) },
		func(text string) { // vim with a backup: the old file away, a new one in its place
			do(t, os.Rename(path, path+"~"))
			write(t, path, text)
			do(t, os.Remove(path+"~"))
		},
		func(text string) { // by a temporary file
			write(t, path+".tmp", text)
			do(t, os.Rename(path+".tmp", path))
		},
	} {
		write(t, filepath.Join(dir, ".app.json.swp"), fmt.Sprint(i))
		text := fmt.Sprintf(`{"save":%d}`, i)
		save(text)
		to.once(text)
		do(t, os.Remove(filepath.Join(dir, ".app.json.swp")))
	}
	write(t, path, "last")
	to.once("last")
	to.nothing()
}

// TestSlowWriter writes a file byte by byte. How many steps are seen depends on how
// slow the machine is; the end does not.
func TestSlowWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.json")
	write(t, path, "before")
	to := watch(t, path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	do(t, err)
	for _, b := range []byte("whole") {
		_, err := f.Write([]byte{b})
		do(t, err)
	}
	do(t, f.Close())
	to.finally("whole")
	to.nothing()
}

// TestKubernetes swaps the symbolic link of a mounted ConfigMap.
func TestKubernetes(t *testing.T) {
	dir := t.TempDir()
	mount := func(version, text string) {
		do(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "app.json"), text)
		do(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		do(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	mount("..1", "1")
	path := filepath.Join(dir, "app.json")
	do(t, os.Symlink(filepath.Join("..data", "app.json"), path))
	to := watch(t, path)
	for i := 2; i < 5; i++ {
		text := fmt.Sprint(i)
		mount(".."+text, text)
		do(t, os.RemoveAll(filepath.Join(dir, fmt.Sprint("..", i-1))))
		to.once(text)
	}
	write(t, filepath.Join(dir, "..4", "app.json"), "in place")
	to.once("in place")
	to.nothing()
}

// TestEmptyAndMissing checks that a file on its way tells nothing.
func TestEmptyAndMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.json")
	to := watch(t, path)
	write(t, path, "1")
	to.once("1")
	write(t, path, "")
	do(t, os.Remove(path))
	write(t, path, "2")
	to.once("2")
	to.nothing()
}

// TestReadingWhileItIsWritten reads a file that was truncated a moment ago.
func TestReadingWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.json")
	write(t, path, "")
	s := NewSource(WithPath(path))
	if set, err := s.Read(); err != nil || len(set.Data) != 0 {
		t.Errorf("a file that was never filled: %+v, %v", set, err)
	}
	write(t, path, "1")
	if set, err := s.Read(); err != nil || string(set.Data) != "1" {
		t.Errorf("got %+v, %v", set, err)
	}
	write(t, path, "")
	if set, err := s.Read(); !errors.Is(err, errEmpty) {
		t.Errorf("truncated: %+v, %v", set, err)
	}
}

// TestAnotherFileOfTheSameStamp lets a link to a directory lead to another one, as a
// release does, with a file of the same size and time. No notification tells of it: it is
// seen by the next look.
func TestAnotherFileOfTheSameStamp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Unix(1_000_000_000, 0)
	put := func(release, text string) {
		path := filepath.Join(dir, release, "app.json")
		write(t, path, text)
		do(t, os.Chtimes(path, at, at))
	}
	for _, release := range []string{"1", "2"} {
		do(t, os.Mkdir(filepath.Join(dir, release), 0o700))
		put(release, release)
	}
	do(t, os.Symlink("1", filepath.Join(dir, "current")))
	to := watch(t, filepath.Join(dir, "current", "app.json"))
	put("1", "0")
	to.once("0") // the watch stands
	do(t, os.Symlink("2", filepath.Join(dir, "next")))
	do(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
	to.once("2")
	to.nothing()
}

// TestADirectoryMadeAnew takes the directory of the file away.
func TestADirectoryMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conf")
	path := filepath.Join(dir, "app.json")
	do(t, os.Mkdir(dir, 0o700))
	write(t, path, "1")
	to := watch(t, path)
	for _, text := range []string{"2", "3"} {
		do(t, os.RemoveAll(dir))
		do(t, os.Mkdir(dir, 0o700))
		write(t, path, text)
		to.once(text)
	}
	to.nothing()
}

// TestWhatHappenedBeforeTheWatchStood writes right after Watch.
func TestWhatHappenedBeforeTheWatchStood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.json")
	write(t, path, "1")
	to := watch(t, path)
	write(t, path, "2")
	to.once("2")
}
