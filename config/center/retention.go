package center

import (
	"context"
	"fmt"
	"math"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// numberOf returns the number of the last release, whose key was read: 0 without one.
func (c *Center) numberOf(last []etcd.KV) (int64, error) {
	if len(last) == 0 {
		return 0, nil
	}
	number, ok := c.etcd.Layout().ReleaseOf(last[0].Key)
	if !ok || number == math.MaxInt64 {
		return 0, fmt.Errorf("read the last release: the key %q is of none: delete it", last[0].Key)
	}
	return number, nil
}

// youngest is how many releases stay on record however old they seem to be.
const youngest = 10

// firstKept returns the number of the first release whose record stays when r is made.
func (c *Center) firstKept(ctx context.Context, r Release) (int64, error) {
	first := max(1, r.Number-int64(c.keep)+1)
	if c.keepFor == 0 {
		return first, nil
	}
	l := c.etcd.Layout()
	last := r.Number - youngest + 1 // the newest one that may be the first
	for limit := int64(1); first < last; limit = min(2*limit, 64) {
		old, _, err := c.etcd.Conn().Read(ctx, "read old releases", etcd.Range{From: l.Release(first), To: l.Release(last), Limit: limit})
		if err != nil || len(old) == 0 {
			return first, err
		}
		for _, kv := range old {
			record, err := layout.DecodeRelease(kv.Value)
			if err == nil && r.When.Sub(record.When) <= c.keepFor {
				return first, nil
			}
			if number, ok := l.ReleaseOf(kv.Key); ok {
				first = number + 1
			}
		}
	}
	return first, nil
}
