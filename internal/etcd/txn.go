package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/refusal"
)

// What etcd takes in one transaction unless it was started with other limits.
const (
	MaxTxnOps   = 128
	MaxTxnBytes = 3 << 19 // 1.5 MiB
)

// Txn is a transaction: all of its writes happen, or, if a condition does not hold,
// none.
type Txn struct {
	conditions []clientv3.Cmp
	writes     []clientv3.Op
	bytes      int
}

// each is about how many bytes a condition or write costs beside keys and values.
const each = 32

// Unwritten wants a key to be as it was last written at a revision, 0 if it is not
// there.
func (t *Txn) Unwritten(key string, revision int64) {
	t.conditions = append(t.conditions, clientv3.Compare(clientv3.ModRevision(key), "=", revision))
	t.bytes += len(key) + each
}

// NoneSince wants no key of a range to have been written since a revision. It does not
// see what was deleted.
func (t *Txn) NoneSince(r Range, revision int64) {
	condition := clientv3.Compare(clientv3.ModRevision(r.From), "<", revision+1)
	if r.To != "" {
		condition = condition.WithRange(r.To)
	}
	t.conditions = append(t.conditions, condition)
	t.bytes += len(r.From) + len(r.To) + each
}

// Put writes a key.
func (t *Txn) Put(key, value string) {
	t.writes = append(t.writes, clientv3.OpPut(key, value))
	t.bytes += len(key) + len(value) + each
}

// PutUnder writes a key that goes when the lease does.
func (t *Txn) PutUnder(key, value string, lease clientv3.LeaseID) {
	t.writes = append(t.writes, clientv3.OpPut(key, value, clientv3.WithLease(lease)))
	t.bytes += len(key) + len(value) + each
}

// Delete removes a key.
func (t *Txn) Delete(key string) {
	t.writes = append(t.writes, clientv3.OpDelete(key))
	t.bytes += len(key) + each
}

// DeleteRange removes the keys from one to the one before another.
func (t *Txn) DeleteRange(from, to string) {
	t.writes = append(t.writes, clientv3.OpDelete(from, clientv3.WithRange(to)))
	t.bytes += len(from) + len(to) + each
}

// Bytes is about how many bytes the request has.
func (t *Txn) Bytes() int { return t.bytes }

// Conditions is how many there are.
func (t *Txn) Conditions() int { return len(t.conditions) }

// Ops is the number that etcd limits.
func (t *Txn) Ops() int { return max(len(t.conditions), len(t.writes)) }

// Commit carries a transaction out, and reports whether its conditions held. After an
// error it may have been carried out all the same.
func (c *Conn) Commit(ctx context.Context, op string, t *Txn) (held bool, revision int64, err error) {
	err = c.Do(ctx, op, func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.Txn(ctx).If(t.conditions...).Then(t.writes...).Commit()
		if err != nil {
			return err
		}
		held, revision = answer.Succeeded, answer.Header.Revision
		return nil
	})
	return held, revision, err
}

// RefusedWrite reports whether etcd said that it does not carry a transaction out; after
// any other error of Commit that is not known.
func RefusedWrite(err error) bool {
	return refusal.Of(err) != refusal.None || errors.Is(err, rpctypes.ErrRequestTooLarge) ||
		errors.Is(err, rpctypes.ErrTooManyOps) || errors.Is(err, rpctypes.ErrNoSpace)
}
