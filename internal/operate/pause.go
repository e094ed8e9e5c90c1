package operate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Pause keeps a node out of the registry for as long as it stands in etcd. The
// node's process goes on. Who has paused it, when and why is as somebody wrote it,
// or empty.
type Pause struct {
	Service, Node string
	layout.PauseRecord
}

// Pauses returns the paused nodes of a service, or of all services when service
// is empty, sorted by service and node. Ids, and names where none was given, are as
// keys spell them, which have "-" for "/".
func (o *Operator) Pauses(ctx context.Context, service string) ([]Pause, error) {
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
		all = append(all, Pause{cmp.Or(service, name), node, layout.DecodePause(kv.Value)})
	}
	slices.SortFunc(all, func(a, b Pause) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Node, b.Node))
	})
	return all, nil
}

// Pause keeps a node out, from now on, for the reason. The node leaves when it
// hears of it: see Await.
func (o *Operator) Pause(ctx context.Context, service, node, by, reason string) error {
	value := layout.PauseRecord{By: by, At: time.Now().Format(time.RFC3339), Reason: reason}.Encode()
	return o.conn.Do(ctx, quoted("pause", service, node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Put(ctx, o.layout.Pause(service, node), string(value))
		return err
	})
}

// Resume takes the pause of a node back. The node registers when it hears of it:
// see Await.
func (o *Operator) Resume(ctx context.Context, service, node string) error {
	return o.conn.Do(ctx, quoted("resume", service, node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Delete(ctx, o.layout.Pause(service, node))
		return err
	})
}
