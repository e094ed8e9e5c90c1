package claim

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/mirror"
)

// opKind tells what a claimOp does.
type opKind int

const (
	opNone opKind = iota
	opPut
	opFarewell // a put of the value that says that a delete follows
	opDelete
	opLook // a read of both keys
)

// claimOp is one guarded write of a claim. Where the guard fails nothing is
// written, and the answer says what is there instead.
type claimOp struct {
	kind opKind
	key  string
	// pauseKey must be absent for a put. Empty: not looked at.
	pauseKey string
	value    []byte
	// expect is the revision of the key's last change that a put demands; 0 means
	// that the key must be absent.
	expect int64
	// lease is what a put binds the key to, and what a farewell and a delete demand
	// that it is bound to.
	lease int64
	// unbatched asks for a request of its own, because a request that held several
	// was refused; or says that it has one.
	unbatched bool
}

// opResult is the answer to a claimOp.
type opResult struct {
	// err is set if the request failed. Unless refused is true as well, it may
	// have been carried out all the same.
	err     error
	refused bool
	// leaseNotFound is true if etcd refused because there is no such lease.
	leaseNotFound bool
	// denied is true if etcd refused for want of permission.
	denied bool

	rev int64 // etcd's revision after the request
	ok  bool  // the guard held and the write was done
	// key and pause are what was there if the guard did not hold; nil is absent.
	key, pause *mirror.Entry
}

// txn returns o as a transaction: under guard then is done, else look is. For an
// opLook there is neither guard nor then.
func (o claimOp) txn() (guard []clientv3.Cmp, then, look []clientv3.Op) {
	switch o.kind {
	case opLook:
	case opDelete:
		guard = append(guard, clientv3.Compare(clientv3.LeaseValue(o.key), "=", o.lease))
		then = append(then, clientv3.OpDelete(o.key))
	case opFarewell:
		guard = append(guard, clientv3.Compare(clientv3.LeaseValue(o.key), "=", o.lease))
		then = append(then, clientv3.OpPut(o.key, string(o.value), clientv3.WithLease(clientv3.LeaseID(o.lease))))
	default:
		guard = append(guard, clientv3.Compare(clientv3.ModRevision(o.key), "=", o.expect))
		if o.pauseKey != "" {
			guard = append(guard, clientv3.Compare(clientv3.CreateRevision(o.pauseKey), "=", 0))
		}
		then = append(then, clientv3.OpPut(o.key, string(o.value), clientv3.WithLease(clientv3.LeaseID(o.lease))))
	}
	look = append(look, clientv3.OpGet(o.key))
	if o.pauseKey != "" {
		look = append(look, clientv3.OpGet(o.pauseKey))
	}
	return guard, then, look
}

// result reads the answer to txn.
func (o claimOp) result(rev int64, r *pb.TxnResponse) opResult {
	if r.GetSucceeded() {
		return opResult{rev: rev, ok: true}
	}
	return o.looked(rev, r.GetResponses())
}

// looked reads the answers to what txn looks at.
func (o claimOp) looked(rev int64, parts []*pb.ResponseOp) opResult {
	res := opResult{rev: rev}
	for i, part := range parts {
		for _, kv := range part.GetResponseRange().GetKvs() {
			entry := mirror.EntryOf(kv)
			if i == 0 {
				res.key = &entry
			} else {
				res.pause = &entry
			}
		}
	}
	return res
}

// joins reports whether o can be added to a request that begins with first and has
// size bytes so far.
func (o claimOp) joins(first claimOp, size int) bool {
	return !o.unbatched && !first.unbatched && size+o.size() <= batchBytes &&
		(o.kind == opLook) == (first.kind == opLook) && (o.kind == opFarewell) == (first.kind == opFarewell)
}

// size is about how many bytes o adds to a request.
func (o claimOp) size() int {
	return 3*len(o.key) + 2*len(o.pauseKey) + len(o.value) + 64
}
