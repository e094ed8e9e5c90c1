package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// beginning is how the log of a member begins.
type beginning struct {
	// metadata says whose log it is, empty if there is no log.
	metadata []byte
	// nothing is true if nothing has happened yet to whoever wrote it.
	nothing bool
}

// prepareDataDir makes dir when it is missing and refuses a directory that etcd
// cannot or must not use. It finds damage beforehand because etcd ends the
// process when it meets it.
func prepareDataDir(dir string) (began beginning, err error) {
	if dir == "" {
		return began, &ConfigError{"DataDir", dir, "name a directory for the data"}
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return began, &ConfigError{"DataDir", dir, "this is no directory, name another one"}
	}
	if _, link := os.Readlink(dir); err != nil && link == nil {
		return began, &ConfigError{"DataDir", dir, "this is a link to what cannot be reached, make its target or name another directory"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return began, fmt.Errorf("make data directory %q: choose a place that this user may write to: %w", dir, err)
	}
	if err := checkOwn(dir); err != nil {
		return began, err
	}
	if err := checkWritable(dir); err != nil {
		return began, err
	}
	if err := checkFiles(dir); err != nil {
		return began, err
	}
	applied, err := checkDatabase(dir)
	if err != nil {
		return began, err
	}
	return checkWAL(dir, applied)
}

// lostAndFound is in the root of a file system of its own.
const lostAndFound = "lost+found"

// checkFiles refuses what is no file among the files of the member: reading a
// pipe would never end.
func checkFiles(dir string) error {
	for _, part := range []string{"snap", "wal"} {
		path := filepath.Join(dir, "member", part)
		entries, err := os.ReadDir(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read data directory %q: %w", dir, err)
		}
		for _, e := range entries {
			info, err := os.Stat(filepath.Join(path, e.Name()))
			if err != nil {
				return fmt.Errorf("read data directory %q: %w", dir, err)
			}
			if !info.Mode().IsRegular() && e.Name() != lostAndFound {
				return damaged(dir, fmt.Errorf("open %q: it is no regular file", filepath.Join(path, e.Name())))
			}
		}
	}
	return nil
}

// probe begins the name of the file of checkWritable.
const probe = ".writable-"

// checkWritable makes and removes a file in dir.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, probe+"*")
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
		switch name := e.Name(); {
		case name == "member":
			return nil
		case name == lostAndFound || strings.HasPrefix(name, probe): // the latter of a start that was killed
		default:
			foreign = name
		}
	}
	if foreign != "" {
		return fmt.Errorf("use data directory %q: it holds %q and no data of an etcd; name an empty or a new directory", dir, foreign)
	}
	return nil
}

// checkWAL reads the log through, if there is one. It has to go on at least to the
// entry that the database has applied last.
func checkWAL(dir string, applied uint64) (began beginning, err error) {
	path := filepath.Join(dir, "member", "wal")
	if !wal.Exist(path) {
		return began, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = damaged(dir, fmt.Errorf("read %q: %v", path, r))
		}
	}()
	snaps, err := wal.ValidSnapshotEntries(zap.NewNop(), path)
	if err != nil {
		return began, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	newest := &walpb.Snapshot{}
	if len(snaps) > 0 {
		newest = snaps[len(snaps)-1]
	}
	if _, err := wal.Verify(zap.NewNop(), path, newest); err != nil {
		return began, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	return checkRequests(dir, path, newest, applied)
}

// checkRequests looks whether the requests in the log are such as this etcd can
// carry out again. Those of etcd 3.4 and
// before are not. A log that was cut short reads well up to where it ends, and
// etcd would mend it and then wait for the rest for good: what the database knows
// tells that there was more.
func checkRequests(dir, path string, from *walpb.Snapshot, applied uint64) (began beginning, err error) {
	log, err := wal.OpenForRead(zap.NewNop(), path, from)
	if err != nil {
		return began, damaged(dir, fmt.Errorf("open %q: %w", path, err))
	}
	metadata, _, entries, err := log.ReadAll() // which closes what it has read
	if err != nil {
		return began, damaged(dir, fmt.Errorf("read %q: %w", path, err))
	}
	last := from.GetIndex()
	if len(entries) > 0 {
		last = entries[len(entries)-1].GetIndex()
	}
	if last < applied {
		return began, damaged(dir, fmt.Errorf("read %q: it ends at entry %d, and the database has applied %d", path, last, applied))
	}
	for _, e := range entries {
		// Type 0 is a request; the others are changes of the membership.
		if e.GetType() == 0 && proto.Unmarshal(e.GetData(), &etcdserverpb.InternalRaftRequest{}) != nil {
			return began, fmt.Errorf("use data directory %q: another version of etcd wrote it, which etcd %s cannot go on from; "+
				"go through the versions between them one by one, or name an empty directory", dir, Version())
		}
	}
	nothing := last == 0 && len(ending(filepath.Join(dir, "member", "snap"), ".snap")) == 0
	return beginning{metadata, nothing}, nil
}

// clearStart removes what a first start left behind that was cut off before its
// member was in the log. etcd would take it for the log of a member that others
// know, and wait for them for good.
func clearStart(dir string) error {
	remove := []string{filepath.Join(dir, "member", "snap", "db")}
	for _, path := range append(remove, ending(filepath.Join(dir, "member", "wal"), ".wal")...) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear what a start left behind that was cut off: %w", err)
		}
	}
	return nil
}

// ending returns the paths of the files in dir whose names end so.
func ending(dir, suffix string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // checkFiles has read it
	}
	var paths []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// damaged wraps what is wrong with the data in what to do about it. Where the
// system has not got what etcd needs the data is not to blame.
func damaged(dir string, err error) error {
	if lacking(err) {
		return fmt.Errorf("start etcd in %q: the system lacks what it needs; make room for it and start again, the data is not to blame: %w", dir, err)
	}
	return fmt.Errorf("use data directory %q: its data is damaged; restore a backup of it, or move it away to start empty: %w", dir, err)
}

// lacking reports whether err says that there is no room on the disk, no memory or
// no file descriptor left, or that the disk takes no writes.
func lacking(err error) bool {
	for _, want := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EROFS} {
		if errors.Is(err, want) {
			return true
		}
	}
	// etcd looks at the limit when it starts, and tells it in words alone.
	return strings.Contains(err.Error(), "file descriptor limit")
}
