package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// lockTimeout bounds the wait for a database that another process holds open.
const lockTimeout = 200 * time.Millisecond

// prepareDataDir makes dir when it is missing and refuses a directory that etcd
// cannot or must not use. It finds damage beforehand because etcd ends the
// process when it meets it. It returns what the log begins with, nothing if there
// is none.
func prepareDataDir(dir string) (metadata []byte, err error) {
	if dir == "" {
		return nil, &ConfigError{"DataDir", dir, "name a directory for the data"}
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, &ConfigError{"DataDir", dir, "this is no directory, name another one"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory %q: choose a place that this user may write to: %w", dir, err)
	}
	if err := checkOwn(dir); err != nil {
		return nil, err
	}
	if err := checkWritable(dir); err != nil {
		return nil, err
	}
	if err := checkDatabase(dir); err != nil {
		return nil, err
	}
	return checkWAL(dir)
}

// checkWritable makes and removes a file in dir.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("write to data directory %q: change its rights or choose another one: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkOwn refuses a directory that is neither empty nor an etcd's.
func checkOwn(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read data directory %q: %w", dir, err)
	}
	var foreign string
	for _, e := range entries {
		switch e.Name() {
		case "member":
			return nil
		case "lost+found": // the root of a file system of its own
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("use data directory %q: it holds %q and no data of an etcd; name an empty or a new directory", dir, foreign)
	}
	return nil
}

// checkDatabase opens the database as a reader, if there is one.
func checkDatabase(dir string) (err error) {
	path := filepath.Join(dir, "member", "snap", "db")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read data directory %q: %w", dir, err)
	}

	hasLog := wal.Exist(filepath.Join(dir, "member", "wal"))
	if info.Size() == 0 {
		if hasLog {
			return damaged(dir, fmt.Errorf("open %q: it is empty", path))
		}
		return nil // its first start was cut off
	}

	// The database is mapped into memory: what a truncated file lacks is met as
	// a fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(dir, fmt.Errorf("read %q: %v", path, r))
		}
	}()

	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("use data directory %q: another etcd is running on it; stop that one or name another directory", dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("use data directory %q: it belongs to another user: %w", dir, err)
	}
	if err != nil {
		return damaged(dir, fmt.Errorf("open %q: %w", path, err))
	}
	err = db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("open %q: %d bytes are missing at its end", path, tx.Size()-info.Size())
		}
		// Without a log there can only be what a first start had made before it
		// was cut off, which has no index yet.
		if meta := tx.Bucket([]byte("meta")); meta != nil && !hasLog && meta.Get([]byte("consistent_index")) != nil {
			return fmt.Errorf("open %q: its log in %q is missing", path, filepath.Join(dir, "member", "wal"))
		}
		// etcd reads every page as well when it opens the database.
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			return b.ForEach(func(_, _ []byte) error { return nil })
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return damaged(dir, err)
	}
	return nil
}

// checkWAL reads the log through, if there is one, and returns what it begins with.
func checkWAL(dir string) (metadata []byte, err error) {
	path := filepath.Join(dir, "member", "wal")
	if !wal.Exist(path) {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			metadata, err = nil, damaged(dir, fmt.Errorf("read %q: %v", path, r))
		}
	}()
	snaps, err := wal.ValidSnapshotEntries(zap.NewNop(), path)
	if err != nil {
		return nil, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	newest := &walpb.Snapshot{}
	if len(snaps) > 0 {
		newest = snaps[len(snaps)-1]
	}
	if _, err := wal.Verify(zap.NewNop(), path, newest); err != nil {
		return nil, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	return checkRequests(dir, path, newest)
}

// checkRequests looks whether the requests in the log are such as this etcd can
// carry out again, and returns what the log begins with. Those of etcd 3.4 and
// before are not.
func checkRequests(dir, path string, from *walpb.Snapshot) (metadata []byte, err error) {
	log, err := wal.OpenForRead(zap.NewNop(), path, from)
	if err != nil {
		return nil, damaged(dir, fmt.Errorf("open %q: %w", path, err))
	}
	metadata, _, entries, err := log.ReadAll() // which closes what it has read
	if err != nil {
		return nil, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	for _, e := range entries {
		// Type 0 is a request; the others are changes of the membership.
		if e.GetType() == 0 && proto.Unmarshal(e.GetData(), &etcdserverpb.InternalRaftRequest{}) != nil {
			return nil, fmt.Errorf("use data directory %q: another version of etcd wrote it, which etcd %s cannot go on from; "+
				"go through the versions between them one by one, or name an empty directory", dir, Version())
		}
	}
	return metadata, nil
}

// damaged wraps what is wrong with the data in what to do about it.
func damaged(dir string, err error) error {
	return fmt.Errorf("use data directory %q: its data is damaged; restore a backup of it, or move it away to start empty: %w", dir, err)
}
