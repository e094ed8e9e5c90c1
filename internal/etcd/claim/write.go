package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// batchOps is how many operations of claims travel in one request. Each write is
	// a transaction inside a transaction then, and etcd's limit of 128 counts both;
	// each look is up to two reads.
	batchOps, batchLooks = 100, 60
	// batchBytes bounds the size of a request of several writes. A single one may
	// be larger; etcd's own limit is 1.5 MiB.
	batchBytes = 512 << 10
	// batchesAtOnce is how many requests are under way at a time.
	batchesAtOnce = 4
)

// assignment is an operation and the claim that wants it.
type assignment struct {
	claim *Claim
	op    claimOp
}

// dispatch sends as much of what is ready as may be under way; the rest waits until
// a request ends, or until the time returned if that is not zero. k.mu is held.
func (k *Keeper) dispatch(now time.Time) (again time.Time) {
	for len(k.ready) > 0 && k.requests < batchesAtOnce {
		ops, rest, byItself := k.batch(now)
		if len(ops) == 0 {
			k.ready = rest
			continue
		}
		if byItself {
			if at := k.budget.Take(now); !at.IsZero() {
				k.ready = slices.DeleteFunc(k.ready, func(cl *Claim) bool { return !cl.ready })
				return at
			}
		}
		k.ready = rest
		k.requests++
		for _, a := range ops {
			a.claim.ready = false
			a.claim.m.onSent(a.op)
		}
		k.conn.Go(func(ctx context.Context) { k.send(ctx, ops) })
	}
	if len(k.ready) == 0 {
		k.ready = nil
	}
	return time.Time{}
}

// batch returns what goes into the next request, those that stay ready, and whether
// nobody asked for it: then it is to wait for its turn. k.mu is held.
func (k *Keeper) batch(now time.Time) (ops []assignment, rest []*Claim, byItself bool) {
	size, limit := 0, batchOps
	for i, cl := range k.ready {
		if len(ops) == limit {
			rest = append(rest, k.ready[i:]...)
			break
		}
		if _, ours := k.claims[cl]; !ours {
			continue
		}
		op, at := cl.m.next(now)
		if op.kind == opNone { // no more
			cl.ready = false
			k.dates.set(cl, soonest(at, cl.m.deafAt))
			continue
		}
		if len(ops) > 0 && !op.joins(ops[0].op, size) {
			rest = append(rest, cl)
			continue
		}
		ops = append(ops, assignment{cl, op})
		size += op.size()
		byItself = byItself || cl.m.unasked()
		if op.kind == opLook {
			limit = batchLooks
		}
		if op.unbatched {
			limit = 1
		}
	}
	if len(ops) == 1 {
		ops[0].op.unbatched = true
	}
	return ops, rest, byItself
}

// farewellLimit is how long a farewell may take. A delete that follows one waits
// for no longer.
const farewellLimit = time.Second

// commit sends ops, a single one as a transaction of its own: etcd 3.4 checks the
// permissions of what stands in a transaction inside another one not at all.
func commit(ctx context.Context, client *clientv3.Client, ops []assignment) ([]opResult, error) {
	results := make([]opResult, len(ops))
	if ops[0].op.kind == opLook {
		var reads []clientv3.Op
		for _, a := range ops {
			_, _, look := a.op.txn()
			reads = append(reads, look...)
		}
		resp, err := client.Txn(ctx).Then(reads...).Commit()
		if err != nil {
			return nil, err
		}
		parts := resp.Responses
		for i, a := range ops {
			_, _, look := a.op.txn()
			n := min(len(look), len(parts))
			results[i] = a.op.looked(resp.Header.GetRevision(), parts[:n])
			parts = parts[n:]
		}
		return results, nil
	}
	if len(ops) == 1 {
		guard, then, look := ops[0].op.txn()
		resp, err := client.Txn(ctx).If(guard...).Then(then...).Else(look...).Commit()
		if err != nil {
			return nil, err
		}
		results[0] = ops[0].op.result(resp.Header.GetRevision(), (*pb.TxnResponse)(resp))
		return results, nil
	}
	txns := make([]clientv3.Op, len(ops))
	for i, a := range ops {
		txns[i] = clientv3.OpTxn(a.op.txn())
	}
	resp, err := client.Txn(ctx).Then(txns...).Commit()
	if err != nil {
		return nil, err
	}
	for i, a := range ops {
		var part *pb.TxnResponse
		if i < len(resp.Responses) {
			part = resp.Responses[i].GetResponseTxn()
		}
		results[i] = a.op.result(resp.Header.GetRevision(), part)
	}
	return results, nil
}

// send sends ops and reports the answers to their claims.
func (k *Keeper) send(ctx context.Context, ops []assignment) {
	doing := "write"
	switch ops[0].op.kind {
	case opLook:
		doing = "look at"
	case opFarewell:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, farewellLimit)
		defer cancel()
	}
	what := fmt.Sprintf("%s %q", doing, ops[0].claim.m.key)
	if n := len(ops); n > 1 {
		what = fmt.Sprintf("%s %d keys", doing, n)
	}
	var results []opResult
	err := k.conn.Do(ctx, what, func(ctx context.Context, client *clientv3.Client) (err error) {
		results, err = commit(ctx, client, ops)
		return err
	})
	failed := failure(err)
	leases := make(map[int64]struct{})
	for _, a := range ops {
		leases[a.op.lease] = struct{}{}
	}
	if failed.leaseNotFound && len(leases) > 1 {
		failed.leaseNotFound, failed.refused = false, true // one by one it will be seen which
	}
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests--
	for i, a := range ops {
		result := failed
		if err == nil {
			result = results[i]
		}
		if result.ok && a.op.kind == opPut {
			k.conn.Counters().Writes.Add(1)
			if !a.claim.m.started { // more may follow
				k.topUp(now, a.claim.lease.ttl)
			}
		}
		k.apply(a.claim, func(m *machine) { m.onAnswer(now, a.op, result) })
		if err == nil {
			a.claim.watchFrom(result.rev, a.op)
		}
	}
	if failed.leaseNotFound {
		k.leaseNotFound(now, ops[0].op.lease)
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
	r.leaseNotFound = errors.Is(err, rpctypes.ErrLeaseNotFound)
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
