package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// unborn returns the Config of an etcd whose first start was cut off when it had
// begun its log and not yet put itself into it.
func unborn(t *testing.T) Config {
	t.Helper()
	cfg := fast(t)
	_, stop := start(t, cfg)
	stop()
	began, err := prepareDataDir(cfg.DataDir)
	if err != nil || began.nothing {
		t.Fatal(began, err)
	}
	logs := filepath.Join(cfg.DataDir, "member", "wal")
	if err := errors.Join(os.RemoveAll(logs), os.Remove(filepath.Join(cfg.DataDir, databaseFile))); err != nil {
		t.Fatal(err)
	}
	w, err := wal.Create(zap.NewNop(), logs, began.metadata)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestFirstStartCutOffInItsLog shows that Ctrl-C in the first moment leaves no
// directory that can never be used.
func TestFirstStartCutOffInItsLog(t *testing.T) {
	s, _ := start(t, unborn(t))
	if _, err := connect(t, s.Addr(), nil).Put(within(t, 20*time.Second), "a", "1"); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNotClearedAway: a snapshot shows that there was more.
func TestWhatIsNotClearedAway(t *testing.T) {
	cfg := unborn(t)
	if began, err := prepareDataDir(cfg.DataDir); err != nil || !began.nothing {
		t.Fatal(began, err)
	}
	if err := os.WriteFile(filepath.Join(cfg.DataDir, "member", "snap", "1-1.snap"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if began, err := prepareDataDir(cfg.DataDir); err != nil || began.nothing {
		t.Error(began, err)
	}
}

// TestAnInterruptedStartIsSilent: what etcd reports of its ending is no news.
func TestAnInterruptedStartIsSilent(t *testing.T) {
	t.Parallel()
	var out safeBuffer
	cfg := three(t, "http")[0]
	cfg.Log = &out
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Waiting = func([]string) { cancel() }
	if _, err := Start(ctx, cfg); err == nil {
		t.Fatal("a member started without a leader")
	}
	if out.String() != "" {
		t.Errorf("it logged\n%s", out.String())
	}
}
