package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

func TestForeignDirectory(t *testing.T) {
	cfg := fast(t)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(cfg.DataDir, "letter.txt")
	if err := os.WriteFile(precious, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := refused(t, cfg)
	if !strings.Contains(err.Error(), cfg.DataDir) || !strings.Contains(err.Error(), "letter.txt") {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cfg.DataDir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the directory was changed: %v, %v", entries, err)
	}
}

func TestEmptyDirectoryIsTaken(t *testing.T) {
	cfg := fast(t)
	if err := os.MkdirAll(filepath.Join(cfg.DataDir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, cfg)
}

// TestVolumesOfTheirOwn shows that the log and the database may lie on file systems
// of their own.
func TestVolumesOfTheirOwn(t *testing.T) {
	cfg := fast(t)
	for _, part := range []string{"snap", "wal"} {
		if err := os.MkdirAll(filepath.Join(cfg.DataDir, "member", part, "lost+found"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkFiles(cfg.DataDir); err != nil {
		t.Error(err)
	}
}

func TestFileAsDirectory(t *testing.T) {
	cfg := fast(t)
	if err := os.WriteFile(cfg.DataDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, cfg); !strings.Contains(err.Error(), "no directory") {
		t.Fatal(err)
	}
	cfg.DataDir = filepath.Join(cfg.DataDir, "below")
	if err := refused(t, cfg); !strings.Contains(err.Error(), "data directory") {
		t.Fatal(err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	cfg := fast(t)
	start(t, cfg)
	if err := refused(t, cfg); !strings.Contains(err.Error(), "another etcd is running on it") {
		t.Fatal(err)
	}
}

// TestFirstStartCutOff shows that a crash while the very first files are made does
// not make the directory useless.
func TestFirstStartCutOff(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"database not written": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"database without keys": func(path string) error {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket([]byte("meta"))
				return err
			}), db.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fast(t)
			snap := filepath.Join(cfg.DataDir, "member", "snap")
			if err := os.MkdirAll(snap, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := prepare(filepath.Join(snap, "db")); err != nil {
				t.Fatal(err)
			}
			s, _ := start(t, cfg)
			if _, err := connect(t, s.Addr(), nil).Put(within(t, 20*time.Second), "a", "1"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestDataOfAnotherVersion adds to the log what this etcd cannot read, as etcd 3.4
// does.
func TestDataOfAnotherVersion(t *testing.T) {
	cfg := fast(t)
	_, stop := start(t, cfg)
	stop()
	path := filepath.Join(cfg.DataDir, "member", "wal")
	w, err := wal.Open(zap.NewNop(), path, &walpb.Snapshot{})
	if err != nil {
		t.Fatal(err)
	}
	_, state, entries, err := w.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	last.Index, last.Data = proto.Uint64(last.GetIndex()+1), []byte("no request of etcd 3.7")
	if err := errors.Join(w.Save(state, entries[len(entries)-1:]), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, cfg); !strings.Contains(err.Error(), "another version of etcd wrote it") {
		t.Errorf("got %v", err)
	}
}

// TestDamagedData spoils one file of a good data directory in each case.
func TestDamagedData(t *testing.T) {
	cfg := fast(t)
	s, stop := start(t, cfg)
	c := connect(t, s.Addr(), nil)
	for range 50 {
		if _, err := c.Put(within(t, 20*time.Second), "/micro/a", strings.Repeat("v", 1000)); err != nil {
			t.Fatal(err)
		}
	}
	stop()

	database := filepath.Join("member", "snap", "db")
	log := filepath.Join("member", "wal", "0000000000000000-0000000000000000.wal")
	garbage := []byte(strings.Repeat("garbage ", 1<<14))
	for _, tt := range []struct {
		name, file string
		spoil      func(path string, good []byte) error
	}{
		{"database of garbage", database, func(p string, _ []byte) error { return os.WriteFile(p, garbage, 0o600) }},
		{"database cut short", database, func(p string, b []byte) error { return os.Truncate(p, int64(len(b)/2)) }},
		{"database cut to one page", database, func(p string, b []byte) error { return os.Truncate(p, 4096) }},
		{"empty database", database, func(p string, b []byte) error { return os.Truncate(p, 0) }},
		{"database with a torn middle", database, func(p string, b []byte) error {
			spoilt := append([]byte(nil), b...)
			copy(spoilt[2*4096:], garbage)
			return os.WriteFile(p, spoilt, 0o600)
		}},
		{"log of garbage", log, func(p string, _ []byte) error { return os.WriteFile(p, garbage, 0o600) }},
		{"log cut to nothing", log, func(p string, _ []byte) error { return os.Truncate(p, 0) }},
		{"log with a torn middle", log, func(p string, b []byte) error {
			spoilt := append([]byte(nil), b...)
			copy(spoilt[2048:], garbage[:512])
			return os.WriteFile(p, spoilt, 0o600)
		}},
		{"log gone", log, func(p string, _ []byte) error { return os.RemoveAll(filepath.Dir(p)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := cfg
			bad.DataDir = filepath.Join(t.TempDir(), "etcd")
			if err := os.CopyFS(bad.DataDir, os.DirFS(cfg.DataDir)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(bad.DataDir, tt.file)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(path, good); err != nil {
				t.Fatal(err)
			}
			err = refused(t, bad)
			if !strings.Contains(err.Error(), bad.DataDir) || !strings.Contains(err.Error(), "damaged") {
				t.Fatalf("got %v", err)
			}
			t.Log(err)
		})
	}

	start(t, cfg) // the original is still good
}
