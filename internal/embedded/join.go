package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// waitingAfter is how long a start may take before Config.Waiting is told, and
	// the time between two such calls.
	waitingAfter = 5 * time.Second
	// probeTimeout bounds one look whether a member can be reached.
	probeTimeout = time.Second
)

// join waits until the member takes part in its cluster, which takes a leader,
// and with it more than half of the members. It closes the etcd when it returns an
// error, except one that has parked and cannot be closed.
func join(ctx context.Context, e *embed.Etcd, cfg Config, others cluster, parked <-chan error) error {
	tick := time.NewTicker(waitingAfter)
	defer tick.Stop()
	fail := func(err error) error {
		e.Server.HardStop() // Close waits for the client listener, which waits for the leader
		e.Close()
		return fmt.Errorf("start etcd in %q: %w", cfg.DataDir, err)
	}
	for {
		select {
		case <-e.Server.ReadyNotify():
			return nil
		case err := <-parked:
			return damaged(cfg.DataDir, err)
		case err := <-e.Err():
			return fail(err)
		case <-e.Server.StopNotify():
			return fail(errRemoved)
		case <-ctx.Done():
			return fail(fmt.Errorf("no leader in time: %w", context.Cause(ctx)))
		case <-tick.C:
			if cfg.Waiting != nil {
				cfg.Waiting(unreachable(ctx, others))
			}
		}
	}
}

// errRemoved reports a member that the others have removed.
var errRemoved = errors.New("the cluster has removed this member; add it again with `etcdctl member add`, " +
	"and start it with an empty directory and the state existing")

// unreachable returns those members to whom no connection can be made, each with
// the reason.
func unreachable(ctx context.Context, others cluster) []string {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	why := make([]error, len(others))
	var all sync.WaitGroup
	for i, p := range others {
		all.Go(func() {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", p.url.Host)
			if err != nil {
				why[i] = err
				return
			}
			// Nothing was sent over it.
			_ = conn.Close()
		})
	}
	all.Wait()
	var missing []string
	for i, p := range others {
		if why[i] != nil {
			missing = append(missing, fmt.Sprintf("%s (%v)", p, rootCause(why[i])))
		}
	}
	return missing
}

// rootCause returns the innermost error, as in "connection refused".
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// explainJoin adds what to do where etcd says why it does not join.
func explainJoin(err error) error {
	text, advice := err.Error(), ""
	switch {
	case strings.Contains(text, "has already been bootstrapped"):
		advice = "the cluster knows this member, whose data is not here; bring the data back, or remove the member with " +
			"`etcdctl member remove`, add it with `etcdctl member add` and start it with the state existing"
	case strings.Contains(text, "cannot fetch cluster info from peer urls"):
		advice = "no other member answers; the state existing is for a member that joins a cluster that runs"
	case strings.Contains(text, "error validating peerURLs"):
		advice = "the cluster that runs has other members than the initial cluster; " +
			"add this one with `etcdctl member add` and give the list that it prints"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}
