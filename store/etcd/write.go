package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/storage"
	"github.com/rollcall-go/micro/store"
)

func (s *etcdStore) Write(r *store.Record, opts ...store.WriteOption) error {
	_, err := s.write(r, nil, opts)
	return err
}

func (s *etcdStore) WriteVersion(r *store.Record, version int64, opts ...store.WriteOption) (int64, error) {
	return s.write(r, &version, opts)
}

// write writes a record, over the version that is wanted if that is not nil, and returns
// its version.
func (s *etcdStore) write(r *store.Record, wanted *int64, opts []store.WriteOption) (int64, error) {
	var o store.WriteOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := storage.Check(r); err != nil {
		return 0, err
	}
	now := time.Now()
	lifetime, err := storage.Lifetime(r, o, now)
	if err != nil {
		return 0, err
	}
	conn, prefix, err := s.table(o.Database, o.Table)
	if err != nil {
		return 0, err
	}
	doing := fmt.Sprintf("write record %q", r.Key)
	stored := layout.StoredRecord{Value: r.Value, Metadata: r.Metadata}
	if stored.Value == nil {
		stored.Value = []byte{}
	}
	if lifetime > 0 {
		ends := now.Add(lifetime).UTC()
		stored.Ends = &ends
	}
	value, err := stored.Encode()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	var t etcd.Txn
	if wanted != nil {
		t.Unwritten(prefix+r.Key, *wanted)
	}
	if size := t.Bytes() + len(prefix) + len(r.Key) + len(value); size > etcd.MaxTxnBytes {
		return 0, fmt.Errorf("%s: it has %d bytes with all that belongs to it, and etcd takes %d", doing, size, etcd.MaxTxnBytes)
	}
	if lifetime <= 0 {
		t.Put(prefix+r.Key, string(value))
		return commit(conn, doing, wanted, &t)
	}
	lease, err := grant(conn, doing, lifetime)
	if err != nil {
		return 0, err
	}
	t.PutUnder(prefix+r.Key, string(value), lease)
	version, err := commit(conn, doing, wanted, &t)
	if errors.Is(err, store.ErrConflict) || err != nil && etcd.RefusedWrite(err) {
		revoke(conn, doing, lease)
	}
	return version, err
}

func (s *etcdStore) Delete(key string, opts ...store.DeleteOption) error {
	return s.delete(key, nil, opts)
}

func (s *etcdStore) DeleteVersion(key string, version int64, opts ...store.DeleteOption) error {
	return s.delete(key, &version, opts)
}

func (s *etcdStore) delete(key string, wanted *int64, opts []store.DeleteOption) error {
	var o store.DeleteOptions
	for _, opt := range opts {
		opt(&o)
	}
	conn, prefix, err := s.table(o.Database, o.Table)
	if err != nil {
		return err
	}
	var t etcd.Txn
	if wanted != nil {
		t.Unwritten(prefix+key, *wanted)
	}
	t.Delete(prefix + key)
	_, err = commit(conn, fmt.Sprintf("delete record %q", key), wanted, &t)
	return err
}

// commit carries out a write or a delete, and returns etcd's revision.
func commit(conn *etcd.Conn, doing string, wanted *int64, t *etcd.Txn) (int64, error) {
	held, revision, err := conn.Commit(background(), doing, t)
	switch {
	case err != nil:
		return 0, err
	case !held:
		return 0, fmt.Errorf("%s of version %d: %w", doing, *wanted, store.ErrConflict)
	}
	return revision, nil
}

// grant returns a lease that lasts at least so long.
func grant(conn *etcd.Conn, doing string, d time.Duration) (lease clientv3.LeaseID, err error) {
	seconds := int64((d + time.Second - 1) / time.Second)
	err = conn.Do(background(), doing, func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.Grant(ctx, seconds)
		if err == nil {
			lease = answer.ID
		}
		return err
	})
	return lease, err
}

// revoke ends a lease that nothing was written under. It ends by itself if this fails.
func revoke(conn *etcd.Conn, doing string, lease clientv3.LeaseID) {
	_ = conn.Do(background(), doing, func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Revoke(ctx, lease)
		return err
	})
}
