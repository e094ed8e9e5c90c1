package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"google.golang.org/protobuf/proto"
)

// checkIdentity refuses a data directory of another cluster or of another member,
// because etcd goes by what the data says and ignores the Config. metadata is what
// the log begins with, empty where there is no log.
func checkIdentity(cfg Config, all cluster, metadata []byte) error {
	if len(metadata) == 0 {
		return nil
	}
	var of etcdserverpb.Metadata
	if err := proto.Unmarshal(metadata, &of); err != nil {
		return damaged(cfg.DataDir, fmt.Errorf("read what its log begins with: %w", err))
	}
	stored, err := storedMembers(cfg.DataDir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if len(stored) > 1 && cfg.PeerAddress == "" {
			return fmt.Errorf("use data directory %q: it belongs to a cluster of %s; give the initial cluster, or name an empty directory",
				cfg.DataDir, describe(stored))
		}
		return nil
	}

	clusterID, memberID, err := all.ids(cfg.InitialClusterToken, cfg.Name)
	if err != nil {
		return err
	}
	if types.ID(of.GetClusterID()) == clusterID {
		if types.ID(of.GetNodeID()) == memberID {
			return nil
		}
		return fmt.Errorf("use data directory %q: it belongs to another member of this cluster than %q; every member has its own", cfg.DataDir, cfg.Name)
	}
	// The cluster began with other members than it has now, or it is another one.
	if len(stored) == 0 {
		return nil // it was cut off before it knew its members
	}
	for _, m := range stored {
		if m.ID == types.ID(of.GetNodeID()) && m.Name != "" && m.Name != cfg.Name {
			return fmt.Errorf("use data directory %q: it belongs to member %q; every member has its own, this is %q", cfg.DataDir, m.Name, cfg.Name)
		}
	}
	for _, p := range all.without(cfg.Name) {
		if slices.ContainsFunc(stored, func(m membership.Member) bool { return slices.Contains(m.PeerURLs, p.url.String()) }) {
			return nil
		}
	}
	return fmt.Errorf("use data directory %q: it belongs to another cluster, of %s; name an empty directory, "+
		"or use the initial cluster and its token with which it began", cfg.DataDir, describe(stored))
}

// describe lists members for a message.
func describe(members []membership.Member) string {
	texts := make([]string, len(members))
	for i, m := range members {
		name := m.Name
		if name == "" {
			name = m.ID.String() // it never started
		}
		texts[i] = name + " at " + strings.Join(m.PeerURLs, " and ")
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// storedMembers returns the members that the database in dir knows. It has been
// found readable.
func storedMembers(dir string) (members []membership.Member, err error) {
	path := filepath.Join(dir, "member", "snap", "db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	db, err := openReadOnly(path, false)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		bucket := tx.Bucket([]byte("members"))
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(_, value []byte) error {
			var m membership.Member
			if err := json.Unmarshal(value, &m); err != nil {
				return damaged(dir, fmt.Errorf("read a member in %q: %w", path, err))
			}
			members = append(members, m)
			return nil
		})
	})
	return members, errors.Join(err, db.Close())
}
