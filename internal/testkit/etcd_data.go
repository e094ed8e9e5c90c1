package testkit

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Save keeps a copy of the data, as a backup does, and returns where. The etcd is
// stopped for it and answers again when Save returns.
func (e *Etcd) Save(t testing.TB) string {
	t.Helper()
	e.Stop(t)
	copied := filepath.Join(t.TempDir(), "saved")
	if err := os.CopyFS(copied, os.DirFS(e.dir)); err != nil {
		t.Fatalf("save the data of etcd on %s: %v", e.addr, err)
	}
	e.Restart(t)
	return copied
}

// RestartFrom kills the etcd and starts it on a copy of what Save kept, and
// returns the moment at which it first answered. Nothing that happened since is
// known to it, and nothing tells a client but the revision.
func (e *Etcd) RestartFrom(t testing.TB, saved string) time.Time {
	t.Helper()
	e.Kill()
	err := os.RemoveAll(e.dir)
	if err == nil {
		err = os.CopyFS(e.dir, os.DirFS(saved))
	}
	if err != nil {
		t.Fatalf("restore the data of etcd on %s: %v", e.addr, err)
	}
	// Members refuse a directory that others may read.
	if err := os.Chmod(e.dir, 0o700); err != nil {
		t.Fatalf("restore the data of etcd on %s: %v", e.addr, err)
	}
	return e.Restart(t)
}
