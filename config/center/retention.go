package center

import (
	"context"
	"fmt"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// last returns the number of the last release, 0 if there is none.
func (c *Center) last(ctx context.Context) (int64, error) {
	l := c.etcd.Layout()
	r := c.records()
	r.Last, r.Limit = true, 1
	kvs, _, err := c.etcd.Conn().Read(ctx, "read the last release", r)
	if err != nil || len(kvs) == 0 {
		return 0, err
	}
	number, ok := l.ReleaseOf(kvs[0].Key)
	if !ok {
		return 0, fmt.Errorf("read the last release: the key %q is of none: delete it", kvs[0].Key)
	}
	return number, nil
}

// firstKept returns the number of the first release whose record stays when r is made.
func (c *Center) firstKept(ctx context.Context, r Release) (int64, error) {
	first := max(1, r.Number-int64(c.keep)+1)
	if c.keepFor == 0 {
		return first, nil
	}
	l := c.etcd.Layout()
	for first < r.Number {
		old, _, err := c.etcd.Conn().Read(ctx, "read old releases", etcd.Range{From: l.Release(first), To: l.Release(r.Number), Limit: 50})
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
