package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"google.golang.org/protobuf/proto"
)

// lockTimeout bounds the wait for a database that another process holds open.
const lockTimeout = 200 * time.Millisecond

// checkDatabase reads the database through, if there is one, and returns the index
// of the log's entry that it has applied last.
func checkDatabase(dir string) (applied uint64, err error) {
	path := filepath.Join(dir, "member", "snap", "db")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read data directory %q: %w", dir, err)
	}
	hasLog := wal.Exist(filepath.Join(dir, "member", "wal"))
	if info.Size() == 0 {
		if hasLog {
			return 0, damaged(dir, fmt.Errorf("open %q: it is empty", path))
		}
		return 0, nil // its first start was cut off
	}

	// The database is mapped into memory: what checkStructure has not seen is met
	// as a fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(dir, fmt.Errorf("read %q: %v", path, r))
		}
	}()
	// Without its list of free pages it is opened at once, which shows whether it is
	// in use. While we have it open nobody changes it.
	db, err := openReadOnly(path, false)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return 0, fmt.Errorf("use data directory %q: another etcd is running on it; stop that one or name another directory", dir)
	case errors.Is(err, fs.ErrPermission):
		return 0, fmt.Errorf("use data directory %q: it belongs to another user: %w", dir, err)
	case err != nil:
		return 0, damaged(dir, fmt.Errorf("open %q: %w", path, err))
	}
	err = checkStructure(path, info.Size())
	if err == nil {
		applied, err = checkContent(path, hasLog)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	return applied, nil
}

func openReadOnly(path string, freelist bool) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout, PreLoadFreelist: freelist})
}

func checkStructure(path string, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(checkPages(file, size), file.Close())
}

// checkContent reads the database as etcd will, list of free pages included.
func checkContent(path string, hasLog bool) (applied uint64, err error) {
	db, err := openReadOnly(path, true)
	if err != nil {
		return 0, err
	}
	err = db.View(func(tx *bolt.Tx) error {
		if meta := tx.Bucket([]byte("meta")); meta != nil {
			if index := meta.Get([]byte("consistent_index")); len(index) == 8 {
				applied = binary.BigEndian.Uint64(index)
			} else if index != nil {
				return errors.New("its index cannot be read")
			}
		}
		// Without a log there can only be what a first start had made before it
		// was cut off, which has no index yet.
		if applied > 0 && !hasLog {
			return errors.New("its log is missing")
		}
		keys := tx.Bucket([]byte("key"))
		if keys == nil {
			return nil
		}
		return keys.ForEach(func(revision, value []byte) error {
			// Two numbers of eight bytes with a sign between them, and perhaps a
			// mark behind them.
			if len(revision) != 17 && len(revision) != 18 {
				return fmt.Errorf("a revision of %d bytes is none", len(revision))
			}
			if proto.Unmarshal(value, &mvccpb.KeyValue{}) != nil {
				return fmt.Errorf("the value of revision %x cannot be read", revision)
			}
			return nil
		})
	})
	return applied, errors.Join(err, db.Close())
}
