package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// KV is a key with its value.
type KV struct {
	Key     string
	Value   []byte
	Created int64 // the revision at which it was put where there was none
	Written int64 // the revision of the last write
}

// Range says which keys to read, in their order.
type Range struct {
	From, To string // To is the first key behind the range, "" reads From alone
	Last     bool   // from the last key to the first
	Limit    int64  // 0 is no limit
	KeysOnly bool   // leaves the values out
	Revision int64  // as of then, 0 is now
}

// Below is the range of the keys that begin with prefix.
func Below(prefix string) Range { return Range{From: prefix, To: clientv3.GetPrefixRangeEnd(prefix)} }

// Has reports whether a key is one of the range.
func (r Range) Has(key string) bool {
	return key == r.From || key > r.From && (r.To == "\x00" || key < r.To)
}

func (r Range) options() []clientv3.OpOption {
	order := clientv3.SortAscend
	if r.Last {
		order = clientv3.SortDescend
	}
	options := []clientv3.OpOption{clientv3.WithSort(clientv3.SortByKey, order), clientv3.WithLimit(r.Limit), clientv3.WithRev(r.Revision)}
	if r.To != "" {
		options = append(options, clientv3.WithRange(r.To))
	}
	if r.KeysOnly {
		options = append(options, clientv3.WithKeysOnly())
	}
	return options
}

// Errors of a read as of a revision that etcd does not have: any more, or yet.
var (
	ErrCompacted = errors.New("etcd has compacted that revision")
	ErrFuture    = errors.New("etcd has not come to that revision")
)

// Read returns keys, all as of the revision that is returned with them.
func (c *Conn) Read(ctx context.Context, op string, r Range) (kvs []KV, revision int64, err error) {
	all, revision, err := c.ReadAll(ctx, op, r.Revision, r)
	if err != nil {
		return nil, 0, err
	}
	return all[0], revision, nil
}

// ReadAll returns the keys of each range, all as of the revision that is returned with
// them: the given one, now if that is 0. Those of the ranges do not count.
func (c *Conn) ReadAll(ctx context.Context, op string, revision int64, ranges ...Range) (all [][]KV, _ int64, err error) {
	for some := range slices.Chunk(ranges, MaxTxnOps) {
		err := c.Do(ctx, op, func(ctx context.Context, client *clientv3.Client) error {
			var ops []clientv3.Op
			for _, r := range some {
				r.Revision = revision
				ops = append(ops, clientv3.OpGet(r.From, r.options()...))
			}
			answer, err := client.Txn(ctx).Then(ops...).Commit()
			if err != nil {
				return err
			}
			if revision == 0 {
				revision = answer.Header.Revision
			}
			for _, one := range answer.Responses {
				all = append(all, kvsOf(one.GetResponseRange().GetKvs()))
			}
			return nil
		})
		switch {
		case errors.Is(err, rpctypes.ErrCompacted):
			err = fmt.Errorf("%w: %w", ErrCompacted, err)
		case errors.Is(err, rpctypes.ErrFutureRev):
			err = fmt.Errorf("%w: %w", ErrFuture, err)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return all, revision, nil
}

// Revisions returns the oldest and the newest revision as of which the keys of a range can
// be read. etcd tells nobody how far it has forgotten: some twenty small reads find it out.
func (c *Conn) Revisions(ctx context.Context, r Range) (oldest, newest int64, err error) {
	r.KeysOnly, r.Limit = true, 1
	const op = "find out which revisions there are"
	if _, newest, err = c.ReadAll(ctx, op, 0, r); err != nil {
		return 0, 0, err
	}
	oldest = 1
	for latest := newest; oldest < latest; {
		middle := oldest + (latest-oldest)/2
		_, _, err := c.ReadAll(ctx, op, middle, r)
		switch {
		case err == nil:
			latest = middle
		case errors.Is(err, ErrCompacted):
			oldest = middle + 1
		default:
			return 0, 0, err
		}
	}
	return oldest, newest, nil
}

func kvsOf(answer []*mvccpb.KeyValue) (kvs []KV) {
	for _, kv := range answer {
		kvs = append(kvs, KV{string(kv.Key), kv.Value, kv.CreateRevision, kv.ModRevision})
	}
	return kvs
}
