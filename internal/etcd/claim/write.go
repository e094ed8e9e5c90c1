package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// batchOps is how many writes travel in one request. Each is a transaction
	// inside a transaction, and etcd's limit of 128 counts both.
	batchOps = 100
	// batchBytes bounds the size of a request of several writes. A single one may
	// be larger; etcd's own limit is 1.5 MiB.
	batchBytes = 512 << 10
	// batchesAtOnce is how many requests are under way at a time.
	batchesAtOnce = 4
)

// assignment is a write and the claim that wants it.
type assignment struct {
	claim *Claim
	op    claimOp
}

// dispatch sends as much of due as may be under way; the rest is asked for
// again when a request ends, or at the time returned if that is not zero. k.mu is
// held.
//
// The writes of a request stand under one lease: if it is gone, etcd refuses the
// whole request.
func (k *Keeper) dispatch(now time.Time, due []assignment) (again time.Time) {
	type batch struct {
		ops  []assignment
		size int
	}
	batches := make(map[int64]*batch)
	send := func(ops []assignment) {
		if len(ops) == 0 || k.requests >= batchesAtOnce {
			return
		}
		if at := k.budget.Take(now); !at.IsZero() {
			again = at
			return
		}
		k.requests++
		for _, a := range ops {
			a.claim.m.begun(a.op)
		}
		k.conn.Go(func(ctx context.Context) { k.write(ctx, ops) })
	}
	for _, a := range due {
		if a.op.alone || a.op.size() > batchBytes {
			send([]assignment{a})
			continue
		}
		b := batches[a.op.lease]
		if b == nil {
			b = &batch{}
			batches[a.op.lease] = b
		}
		if len(b.ops) == batchOps || b.size+a.op.size() > batchBytes {
			send(b.ops)
			*b = batch{}
		}
		b.ops = append(b.ops, a)
		b.size += a.op.size()
	}
	for _, b := range batches {
		send(b.ops)
	}
	return again
}

// write sends ops and reports the answers to their claims.
func (k *Keeper) write(ctx context.Context, ops []assignment) {
	what := fmt.Sprintf("write %q", ops[0].claim.m.key)
	if n := len(ops); n > 1 {
		what = fmt.Sprintf("write %d keys", n)
	}
	txns := make([]clientv3.Op, len(ops))
	for i, a := range ops {
		txns[i] = a.op.txn()
	}
	var resp *clientv3.TxnResponse
	err := k.conn.Do(ctx, what, func(ctx context.Context, client *clientv3.Client) (err error) {
		resp, err = client.Txn(ctx).Then(txns...).Commit()
		return err
	})
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests--
	for i, a := range ops {
		result := failure(err)
		if err == nil {
			var part *pb.TxnResponse
			if i < len(resp.Responses) {
				part = resp.Responses[i].GetResponseTxn()
			}
			result = a.op.result(resp.Header.GetRevision(), part)
		}
		if result.ok && a.op.kind == opPut {
			k.conn.Counters().Writes.Add(1)
		}
		k.apply(a.claim, func(m *machine) { m.done(now, a.op, result) })
	}
	if failure(err).leaseless {
		k.leaseGone(now, ops[0].op.lease)
	}
	wake(k.work)
}

// failure says what a failed request means.
func failure(err error) opResult {
	r := opResult{err: err}
	if err == nil {
		return r
	}
	r.denied = errors.Is(err, rpctypes.ErrPermissionDenied)
	r.leaseless = errors.Is(err, rpctypes.ErrLeaseNotFound)
	code := status.Code(err)
	if known, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		code = known.Code()
	}
	switch code {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.ResourceExhausted,
		codes.NotFound, codes.PermissionDenied, codes.Unauthenticated:
		r.refused = true
	}
	return r
}
