package etcd

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/storage"
	"github.com/rollcall-go/micro/store"
)

// pageSize is how many keys are read at a time.
const pageSize = 1000

func (s *etcdStore) Read(key string, opts ...store.ReadOption) ([]*store.Record, error) {
	var o store.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	match, several := storage.OfRead(key, o)
	if !several {
		r, _, err := s.read(key, o)
		if err != nil {
			return nil, err
		}
		return []*store.Record{r}, nil
	}
	conn, prefix, err := s.table(o.Database, o.Table)
	if err != nil {
		return nil, err
	}
	kvs, err := find(conn, fmt.Sprintf("read records that match %q", key), prefix, match, false)
	if err != nil {
		return nil, err
	}
	records := make([]*store.Record, 0, len(kvs))
	for _, kv := range kvs {
		r, err := decode(prefix, kv)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (s *etcdStore) ReadVersion(key string, opts ...store.ReadOption) (*store.Record, int64, error) {
	var o store.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.Prefix || o.Suffix {
		return nil, 0, storage.NoVersion(key)
	}
	return s.read(key, o)
}

func (s *etcdStore) read(key string, o store.ReadOptions) (*store.Record, int64, error) {
	conn, prefix, err := s.table(o.Database, o.Table)
	if err != nil {
		return nil, 0, err
	}
	kvs, _, err := conn.Read(background(), fmt.Sprintf("read record %q", key), etcd.Range{From: prefix + key})
	if err != nil {
		return nil, 0, err
	}
	if len(kvs) == 0 {
		return nil, 0, store.ErrNotFound
	}
	r, err := decode(prefix, kvs[0])
	return r, kvs[0].Written, err
}

func (s *etcdStore) List(opts ...store.ListOption) ([]string, error) {
	var o store.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	conn, prefix, err := s.table(o.Database, o.Table)
	if err != nil {
		return nil, err
	}
	match := storage.Match{Prefix: o.Prefix, Suffix: o.Suffix, Limit: o.Limit, Offset: o.Offset}
	kvs, err := find(conn, "list records", prefix, match, true)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(kvs))
	for _, kv := range kvs {
		keys = append(keys, strings.TrimPrefix(kv.Key, prefix))
	}
	return keys, nil
}

// find returns the keys of a table that match, all as of one revision. It stops reading
// as soon as it has what is wanted.
func find(conn *etcd.Conn, doing, prefix string, match storage.Match, keysOnly bool) (found []etcd.KV, err error) {
	r := etcd.Below(prefix + match.Prefix)
	r.Limit, r.KeysOnly = pageSize, keysOnly
	for {
		kvs, revision, err := conn.Read(background(), doing, r)
		if err != nil {
			return nil, err
		}
		for _, kv := range kvs {
			if match.Fits(strings.TrimPrefix(kv.Key, prefix)) {
				found = append(found, kv)
			}
		}
		enough := match.Limit > 0 && uint(len(found)) >= match.Offset+match.Limit
		if enough || len(kvs) < pageSize {
			return storage.Page(found, match), nil
		}
		r.From, r.Revision = kvs[len(kvs)-1].Key+"\x00", revision
	}
}

// decode returns the record of a key.
func decode(prefix string, kv etcd.KV) (*store.Record, error) {
	stored, err := layout.DecodeStored(kv.Key, kv.Value)
	if err != nil {
		return nil, err
	}
	r := &store.Record{Key: strings.TrimPrefix(kv.Key, prefix), Value: stored.Value, Metadata: stored.Metadata}
	if stored.Ends != nil {
		r.Expiry = max(time.Until(*stored.Ends), time.Millisecond) // it is there still
	}
	return r, nil
}
