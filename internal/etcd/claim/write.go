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
	// inside a transaction then, and etcd's limit of 128 counts both.
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
	type kind struct {
		lease    int64
		farewell bool // given less time
	}
	batches := make(map[kind]*batch)
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
		kind := kind{a.op.lease, a.op.kind == opFarewell}
		b := batches[kind]
		if b == nil {
			b = &batch{}
			batches[kind] = b
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

// farewellLimit is how long a farewell may take. A delete that follows one waits
// for no longer.
const farewellLimit = time.Second

// commit sends ops, a single one as a transaction of its own: etcd 3.4 checks the
// permissions of what stands in a transaction inside another one not at all.
func commit(ctx context.Context, client *clientv3.Client, ops []assignment) (rev int64, answers []*pb.TxnResponse, err error) {
	if len(ops) == 1 {
		guard, then, look := ops[0].op.txn()
		resp, err := client.Txn(ctx).If(guard...).Then(then).Else(look...).Commit()
		if err != nil {
			return 0, nil, err
		}
		return resp.Header.GetRevision(), []*pb.TxnResponse{(*pb.TxnResponse)(resp)}, nil
	}
	txns := make([]clientv3.Op, len(ops))
	for i, a := range ops {
		guard, then, look := a.op.txn()
		txns[i] = clientv3.OpTxn(guard, []clientv3.Op{then}, look)
	}
	resp, err := client.Txn(ctx).Then(txns...).Commit()
	if err != nil {
		return 0, nil, err
	}
	answers = make([]*pb.TxnResponse, len(ops))
	for i := range min(len(ops), len(resp.Responses)) {
		answers[i] = resp.Responses[i].GetResponseTxn()
	}
	return resp.Header.GetRevision(), answers, nil
}

// write sends ops and reports the answers to their claims.
func (k *Keeper) write(ctx context.Context, ops []assignment) {
	what := fmt.Sprintf("write %q", ops[0].claim.m.key)
	if n := len(ops); n > 1 {
		what = fmt.Sprintf("write %d keys", n)
	}
	if ops[0].op.kind == opFarewell {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, farewellLimit)
		defer cancel()
	}
	var rev int64
	var answers []*pb.TxnResponse
	err := k.conn.Do(ctx, what, func(ctx context.Context, client *clientv3.Client) (err error) {
		rev, answers, err = commit(ctx, client, ops)
		return err
	})
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests--
	for i, a := range ops {
		result := failure(err)
		if err == nil {
			result = a.op.result(rev, answers[i])
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
