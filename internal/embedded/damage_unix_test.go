//go:build unix

package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOthersCannotReadTheData looks at the rights of all that an etcd makes.
func TestOthersCannotReadTheData(t *testing.T) {
	cfg := filled(t)
	err := filepath.WalkDir(cfg.DataDir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNoFile shows that nothing is read that may never end: a pipe, or a
// directory, where a file of the member belongs.
func TestWhatIsNoFile(t *testing.T) {
	good := filled(t)
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	for _, name := range []string{databaseFile, logFile, filepath.Join("member", "snap", "x.snap"), filepath.Join("member", "wal", "0.tmp")} {
		for kind, replace := range map[string]func(path string) error{"pipe": pipe, "directory": func(path string) error { return os.Mkdir(path, 0o700) }} {
			t.Run(kind+" "+name, func(t *testing.T) {
				cfg := copied(t, good)
				path := filepath.Join(cfg.DataDir, name)
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if err := replace(path); err != nil {
					t.Fatal(err)
				}
				if err := refused(t, cfg); !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no regular file") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// TestAStartIsNeverDeaf shows that the end of the context ends a start that hangs
// in reading a file.
func TestAStartIsNeverDeaf(t *testing.T) {
	cfg := fast(t)
	cfg.CertFile, cfg.KeyFile = filepath.Join(t.TempDir(), "cert.pem"), "key.pem"
	if err := syscall.Mkfifo(cfg.CertFile, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { // let go of the reader that is left behind
		f, err := os.OpenFile(cfg.CertFile, os.O_RDWR, 0)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := Start(ctx, cfg); err == nil || !strings.Contains(err.Error(), "not done in time") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
