package operate

import (
	"cmp"
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Pauses reads the keys of the pauses. Ids, and names where none was given, are as
// keys spell them, which have "-" for "/".
func (o *inEtcd) Pauses(ctx context.Context, service string) ([]Pause, error) {
	prefix, doing := o.layout.Pauses(), "list the paused nodes"
	if service != "" {
		prefix, doing = o.layout.PausesOf(service), fmt.Sprintf("list the paused nodes of %q", service)
	}
	answer, err := o.list(ctx, doing, prefix)
	if err != nil {
		return nil, err
	}
	var all []Pause
	for _, kv := range answer.Kvs {
		name, node, ok := o.layout.NodeOf(string(kv.Key))
		if !ok {
			continue // it keeps nobody out
		}
		p := layout.DecodePause(kv.Value)
		all = append(all, Pause{cmp.Or(service, name), node, p.By, p.At, p.Reason})
	}
	sortPauses(all)
	return all, nil
}

// Pause writes the key that the node watches.
func (o *inEtcd) Pause(ctx context.Context, service, node, by, reason string) error {
	value := layout.PauseRecord{By: by, At: time.Now().Format(time.RFC3339), Reason: reason}.Encode()
	return o.conn.Do(ctx, quoted("pause", service, node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Put(ctx, o.layout.Pause(service, node), string(value))
		return err
	})
}

// Resume deletes it.
func (o *inEtcd) Resume(ctx context.Context, service, node string) error {
	return o.conn.Do(ctx, quoted("resume", service, node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Delete(ctx, o.layout.Pause(service, node))
		return err
	})
}
