//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestWhatCannotBeBelieved shows that a file that others may write says
// nothing, and what is no file is not waited for.
func TestWhatCannotBeBelieved(t *testing.T) {
	replaced := func(by func(path string) error) func(*Store, string) error {
		return func(_ *Store, path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return by(path)
		}
	}
	for name, tt := range map[string]struct {
		spoil func(s *Store, path string) error
		want  string
	}{
		"a pipe":      {replaced(func(path string) error { return syscall.Mkfifo(path, 0o600) }), "no regular file"},
		"a directory": {replaced(func(path string) error { return os.Mkdir(path, 0o700) }), "no regular file"},
		"a device":    {replaced(func(path string) error { return os.Symlink("/dev/zero", path) }), "too many levels of symbolic links"},
		"a link": {func(s *Store, path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		}, "too many levels of symbolic links"},
		"too much":              {func(_ *Store, path string) error { return os.Truncate(path, 3<<30) }, "more than 67108864"},
		"others may write":      {func(_ *Store, path string) error { return os.Chmod(path, 0o602) }, "lets others write it"},
		"a group may write":     {func(_ *Store, path string) error { return os.Chmod(path, 0o620) }, "lets others write it"},
		"an open directory":     {func(s *Store, _ string) error { return os.Chmod(s.Dir, 0o777) }, "lets everybody replace"},
		"others may read":       {func(_ *Store, path string) error { return os.Chmod(path, 0o644) }, ""},
		"a directory like /tmp": {func(s *Store, _ string) error { return os.Chmod(s.Dir, 0o777|os.ModeSticky) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t)
			if err := s.Save("a", Saved{Services: services("a", "1"), Confirmed: noon}); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(s, s.Path("a")); err != nil {
				t.Fatal(err)
			}
			got, err := s.Load("a", noon)
			if tt.want == "" {
				if err != nil || len(got.Services) != 1 {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), s.Path("a")) {
				t.Errorf("got %+v, %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestAnotherUsersFile(t *testing.T) {
	if os.Geteuid() != 0 {
		testkit.Require(t, "root", errors.New("only root can give a file away"))
	}
	s := store(t)
	if err := s.Save("a", Saved{Services: services("a", "1"), Confirmed: noon}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.Path("a"), s.Dir} {
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load("a", noon); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
			t.Errorf("got %v", err)
		}
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// An open directory is told when something is to be saved, not first when it is
// needed.
func TestNothingIsSavedInAnOpenDirectory(t *testing.T) {
	s := store(t)
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := s.Save("a", Saved{Confirmed: noon}); err == nil || !strings.Contains(err.Error(), "lets everybody replace") {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("there is %q, %v", left, err)
	}
}

func TestFromTheFuture(t *testing.T) {
	for _, maxAge := range []time.Duration{0, time.Hour} {
		s := store(t)
		s.MaxAge = maxAge
		for _, ahead := range []time.Duration{time.Minute, 100 * 365 * 24 * time.Hour} {
			if err := s.Save("a", Saved{Services: services("a", "1"), Confirmed: noon.Add(ahead)}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load("a", noon); err == nil || !strings.Contains(err.Error(), "from the future") {
				t.Errorf("%v: got %v", ahead, err)
			}
		}
	}
}
