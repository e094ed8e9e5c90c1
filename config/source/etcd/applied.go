package etcd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/mask"
)

// staleAfter is how long etcd may not be followed before that is said: most outages are
// over sooner, and while they last nothing can be said.
const staleAfter = 5 * time.Second

// SetApplied implements source.Informed.
func (s *etcdSource) SetApplied(now source.Applied) {
	s.applied.change(func() { s.applied.now = now })
}

// Leave takes out what etcd says of this instance, until SetInstance is called again. It
// returns when that is gone or ctx is done.
func (s *etcdSource) Leave(ctx context.Context) error {
	if !s.publishes() {
		return nil
	}
	gone := make(chan struct{})
	s.applied.change(func() {
		if s.applied.left != nil {
			gone = s.applied.left
		}
		s.applied.left = gone
	})
	if !s.users.Used() {
		return nil // who published has taken out what it said, and may not have looked at gone
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wanted returns what is to be written, no value for nothing, and after how long that may
// be something else by itself, 0 for never.
func (p *publisher) wanted(applied source.Applied, now time.Time) (key string, value []byte, again time.Duration) {
	var who source.Instance
	var stale string
	var live bool
	var reads layout.ReadsRecord
	p.board.Look(func(v *keytree.View) {
		who, live, reads = v.Reader(), p.link.Live, p.reads()
		if live {
			return
		}
		if again = p.link.Since.Add(staleAfter).Sub(now); again <= 0 && p.link.Err != nil {
			again, stale = 0, "etcd is not followed: "+p.link.Err.Error()
		}
	})
	again = max(again, 0)
	if who.Service == "" || who.Node == "" || applied.Set == nil {
		return "", nil, again
	}
	r := p.inForce(applied.Set, now)
	if !p.known && stale == "" {
		return "", nil, again // what is in force did not come from etcd, which is about to be read
	}
	r.Service, r.Node, r.Host, r.Version, r.Environment = who.Service, who.Node, who.Host, who.Version, who.Environment
	r.Reads, r.View = reads, p.view()
	r.Stale = stale
	r.Refused = append([]layout.RefusedRecord(nil), r.Refused...)
	for _, v := range applied.Values {
		r.Refused = append(r.Refused, layout.RefusedRecord{Key: v.Key, Revision: v.Revision, Reason: v.Err.Error()})
	}
	for _, part := range applied.Parts {
		r.Refused = append(r.Refused, layout.RefusedRecord{Path: part.Path, Reason: mask.Content(part.Err).Error()})
	}
	value, err := r.Encode()
	if err != nil {
		return "", nil, again // there is no such value
	}
	return p.layout.Applied(r.Service, r.Node, r.View), value, again
}

// inForce returns what is known of what is in force. While the configuration has yet to
// take the newest that is what it was before.
func (p *publisher) inForce(set *source.ChangeSet, now time.Time) layout.AppliedRecord {
	p.board.LookIfSum(set.Checksum, func(v *keytree.View, checksum string) {
		if !p.session.known {
			return
		}
		if p.session.touched != p.record.Revision || checksum != p.record.Checksum {
			p.record.At = now.UTC().Truncate(time.Millisecond)
		}
		p.record.Revision, p.record.Checksum, p.record.Grays, p.record.Refused, p.known = p.session.touched, checksum, v.Grays(), nil, true
		for _, r := range v.Refused() {
			p.record.Refused = append(p.record.Refused, layout.RefusedRecord{Key: r.Key, Revision: r.Revision, Reason: r.Err.Error()})
		}
	})
	return p.record
}

// reads says which keys the session reads. The board is held.
func (f *session) reads() layout.ReadsRecord {
	r := layout.ReadsRecord{Prefix: f.keys.Prefix, Strip: f.keys.Strip, NoGrays: f.alone}
	if f.keys.Layers != nil {
		r.Layered = true
		r.Service, r.Environment = f.keys.Layers.Names()
	}
	return r
}

// view tells configurations apart that one instance reads.
func (f *session) view() string {
	text := f.keys.Prefix
	if f.keys.Layers != nil {
		service, environment := f.keys.Layers.Names()
		text += "\n" + service + "\n" + environment
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// publishes reports whether etcd is to be told what is in force.
func (s *etcdSource) publishes() bool { return !s.given.silent }
