package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// pause is a key by which an operator keeps a node out of the registry.
type pause struct {
	Node   string `json:"-"`
	By     string `json:"by"`
	At     string `json:"at"`
	Reason string `json:"reason,omitempty"`
}

// newPause says who is pausing a node, and when.
func newPause(node, reason string, now time.Time) pause {
	who, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return pause{Node: node, By: who + "@" + host, At: now.Format(time.RFC3339), Reason: reason}
}

// pauses are the keys of all paused nodes.
type pauses struct{ conn *etcd.Conn }

func openPauses(p registryTarget) (*pauses, error) {
	conn := etcd.Open(p.config())
	return &pauses{conn}, conn.Err()
}

// close ends the connection. There is nothing to lose by it.
func (s *pauses) close() { _ = s.conn.Close() }

// of returns the paused nodes of a service, sorted by id.
func (s *pauses) of(ctx context.Context, service string) ([]pause, error) {
	prefix := layout.Layout{}.Pause(service, "")
	var paused []pause
	err := s.conn.Do(ctx, fmt.Sprintf("list the paused nodes of %q", service), func(ctx context.Context, c *clientv3.Client) error {
		answer, err := c.Get(ctx, prefix, clientv3.WithPrefix())
		if err != nil {
			return err
		}
		paused = nil
		for _, kv := range answer.Kvs {
			one := pause{}
			// Any value will do: what is no JSON of ours tells nothing.
			_ = json.Unmarshal(kv.Value, &one)
			one.Node = strings.TrimPrefix(string(kv.Key), prefix)
			paused = append(paused, one)
		}
		return nil
	})
	return paused, err
}

// set pauses a node, clear takes that back.
func (s *pauses) set(ctx context.Context, service string, p pause) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.conn.Do(ctx, fmt.Sprintf("pause node %q", p.Node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Put(ctx, layout.Layout{}.Pause(service, p.Node), string(value))
		return err
	})
}

func (s *pauses) clear(ctx context.Context, service, node string) error {
	return s.conn.Do(ctx, fmt.Sprintf("resume node %q", node), func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.Delete(ctx, layout.Layout{}.Pause(service, node))
		return err
	})
}

// errNotYet is returned by await when the time is up.
var errNotYet = errors.New("not yet")

// await returns nil when the node's record is in etcd, or is not.
func (s *pauses) await(ctx context.Context, service, node string, there bool) error {
	doing := fmt.Sprintf("wait for node %q", node)
	key := layout.Layout{}.Node(service, node)
	client, err := s.conn.Client(ctx)
	if err != nil {
		return err
	}
	now, err := client.Get(ctx, key)
	if err != nil {
		return s.conn.Explain(doing, err)
	}
	if (len(now.Kvs) > 0) == there {
		return nil
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for answer := range client.Watch(ctx, key, clientv3.WithRev(now.Header.Revision+1)) {
		if err := answer.Err(); err != nil && ctx.Err() == nil {
			return s.conn.Explain(doing, err)
		}
		for _, e := range answer.Events {
			if (e.Type == clientv3.EventTypePut) == there {
				return nil
			}
		}
	}
	return errNotYet
}

func idsOf(paused []pause) []string {
	var ids []string
	for _, p := range paused {
		ids = append(ids, p.Node)
	}
	return ids
}

// showPaused prints the paused nodes of a service.
func showPaused(w io.Writer, paused []pause) error {
	t := newTable(w, "  ", "PAUSED NODE", "BY", "SINCE", "REASON")
	for _, p := range paused {
		t.row(p.Node, p.By, p.At, p.Reason)
	}
	return t.flush()
}
