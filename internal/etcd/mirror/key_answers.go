package mirror

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// receive takes what arrives until the stream ends and returns why.
func (w *Watcher) receive(s *keyStream) error {
	for {
		resp, err := s.Recv()
		if err != nil {
			return rpctypes.Error(err)
		}
		w.conn.MarkReceived()
		one, err := w.take(s, resp)
		switch {
		case one == nil:
		case err != nil:
			one.o.Lost(one, w.conn.Explain("watch "+one.key, err))
		default:
			w.conn.Counters().Events.Add(uint64(len(resp.Events)))
			for _, e := range resp.Events {
				one.o.Changed(one, e.Kv.ModRevision, present(e))
			}
		}
	}
}

// take returns the watch that resp is about, nil if it is nobody's, with why it is
// lost.
func (w *Watcher) take(s *keyStream, resp *pb.WatchResponse) (*Watch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := s.ids[resp.WatchId]
	if resp.Created {
		one = s.confirm(resp.WatchId)
		s.last = time.Now()
		w.conn.MarkWatchConfirmed()
		w.wake() // for the next one, where it waits
	}
	if one == nil {
		return nil, nil
	}
	err := fault(one, resp)
	switch {
	case err != nil:
		delete(s.ids, resp.WatchId)
		delete(w.watches, one.id)
		if resp.Created && !s.ownIDs {
			w.broken = errDeafened // etcd 3.3 reads nothing more from a stream after a refusal
		}
	case resp.Created:
		one.ready, one.etcdID = true, resp.WatchId
		s.ids[resp.WatchId] = one
		if one.over { // stopped meanwhile
			w.ended = append(w.ended, one)
		}
	}
	if one.over {
		return nil, nil
	}
	one.over = err != nil
	return one, err
}

// confirm returns the watch that etcd confirms or refuses under id.
func (s *keyStream) confirm(id int64) *Watch {
	if len(s.asked) == 0 {
		return nil
	}
	i := 0 // one whose id is not ours is the oldest: answers come in order
	for j, one := range s.asked {
		if one.id == id {
			i = j
			break
		}
	}
	one := s.asked[i]
	s.asked = append(s.asked[:i], s.asked[i+1:]...)
	if !s.settled && id >= 0 {
		s.settled, s.ownIDs = true, one.id == id
	}
	return one
}

// fault returns why resp ends the watch, nil if it does not.
func fault(one *Watch, resp *pb.WatchResponse) error {
	switch {
	case resp.CompactRevision != 0:
		return rpctypes.ErrCompacted
	case resp.Canceled && strings.Contains(resp.CancelReason, "permission denied"):
		return rpctypes.ErrPermissionDenied
	case resp.Canceled:
		return fmt.Errorf("etcd ended the watch: %s", cmp.Or(resp.CancelReason, "it did not say why"))
	case resp.Created && resp.Header.GetRevision() < one.from-1:
		return fmt.Errorf("etcd's revision went back from %d to %d", one.from-1, resp.Header.GetRevision())
	}
	return nil
}

func present(e *mvccpb.Event) *Entry {
	if e.Type == mvccpb.DELETE {
		return nil
	}
	entry := EntryOf(e.Kv)
	return &entry
}
