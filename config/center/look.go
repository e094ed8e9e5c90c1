package center

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/etcd"
)

// sight is what is read to make a release: the items that it edits, the number of the
// release before it, and which keys above and below those that it sets are there. All is
// as of one revision, so that whoever releases anything later takes the number first.
type sight struct {
	state
	last   int64
	unseen []string // keys above, which the user may not read
}

// look reads what a draft is about, and nothing beside: who has rights on a part of the
// tree can release there, and a release costs what it changes.
func (c *Center) look(ctx context.Context, d Draft) (sight, error) {
	s := sight{state: state{items: make(map[item]etcd.KV)}}
	last := c.records()
	last.Last, last.Limit, last.KeysOnly = true, 1, true
	ranges := []etcd.Range{last}
	for _, e := range d.Edits {
		ranges = append(ranges, etcd.Range{From: c.place(e.item())})
	}
	edited := len(ranges)
	var keys []string
	if d.restores == 0 { // what is brought back had its place
		keys = placed(d)
	}
	for _, key := range keys {
		below := etcd.Below(c.prefix(KindValue) + key + "/")
		below.KeysOnly, below.Limit = true, int64(len(d.Edits)+1) // one more than could go in this release
		ranges = append(ranges, below)
	}
	const doing = "read what is to be released"
	all, revision, err := c.etcd.Conn().ReadAll(ctx, doing, 0, ranges...)
	if err != nil {
		return s, err
	}
	s.revision = revision
	if s.last, err = c.numberOf(all[0]); err != nil {
		return s, err
	}
	neighbours := all[edited:]
	for _, key := range above(keys) {
		r := etcd.Range{From: c.prefix(KindValue) + key, KeysOnly: true}
		one, _, err := c.etcd.Conn().ReadAll(ctx, doing, revision, r)
		switch {
		case errors.Is(err, fs.ErrPermission):
			s.unseen = append(s.unseen, key)
		case err != nil:
			return s, err
		default:
			neighbours = append(neighbours, one...)
		}
	}
	for _, kvs := range neighbours {
		for _, kv := range kvs {
			s.items[item{KindValue, strings.TrimPrefix(kv.Key, c.prefix(KindValue))}] = kv
		}
	}
	for n, kvs := range all[1:edited] { // after the neighbours: these have their values
		if len(kvs) == 1 {
			s.items[d.Edits[n].item()] = kvs[0]
		}
	}
	return s, nil
}

// placed returns the keys that a draft sets.
func placed(d Draft) (keys []string) {
	for _, e := range d.Edits {
		if e.Kind == KindValue && e.Value != nil {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// above returns the keys of which one of the keys lies below, sorted.
func above(keys []string) (all []string) {
	for _, key := range keys {
		for i := range key {
			if key[i] == '/' {
				all = append(all, key[:i])
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// guard makes a transaction that adds keys fail if somebody puts a key above or below
// one of them meanwhile.
func (s sight) guard(txn *etcd.Txn, c *Center, added []string) {
	prefix := c.prefix(KindValue)
	ranges := make([]etcd.Range, 0, len(added))
	for _, key := range added {
		ranges = append(ranges, etcd.Below(prefix+key+"/"))
	}
	over := above(added)
	fits := func() bool { return txn.Conditions()+len(ranges)+len(over) <= etcd.MaxTxnOps }
	if !fits() { // all of them at once, with whatever else there is where they are
		common := commonPath(added)
		ranges, over = []etcd.Range{etcd.Below(prefix + common)}, above([]string{common})
	}
	if !fits() {
		ranges, over = []etcd.Range{etcd.Below(prefix)}, nil
	}
	for _, r := range ranges {
		txn.NoneSince(r, s.revision)
	}
	for _, key := range over {
		if _, there := s.items[item{KindValue, key}]; !there && !slices.Contains(s.unseen, key) {
			txn.Unwritten(prefix+key, 0)
		}
	}
}

// commonPath returns what all keys begin with, up to a "/".
func commonPath(keys []string) string {
	common := keys[0]
	for _, key := range keys {
		for !strings.HasPrefix(key, common) {
			common = common[:strings.LastIndexByte(strings.TrimSuffix(common, "/"), '/')+1]
		}
	}
	return common[:strings.LastIndexByte(common, '/')+1]
}
