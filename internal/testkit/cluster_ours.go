package testkit

import (
	"context"
	"testing"
	"time"
)

// ours returns the command line of a member that is a `micro server`. Its ticks
// are short.
func (m *member) ours(e *Etcd) (string, []string) {
	return e.binary, []string{
		"server", "--unsafe_fast", "--data_dir", e.dir, "--address", e.addr,
		"--name", m.name, "--initial_cluster", m.others,
	}
}

// Leader waits until a member leads and returns it. Members that do not answer,
// because they are killed, frozen or cut off, are passed over.
func (c *Cluster) Leader(t testing.TB) *Etcd {
	t.Helper()
	var leader *Etcd
	Eventually(t, readyTimeout, "the cluster has a leader", func() bool {
		leader = c.leader()
		return leader != nil
	})
	return leader
}

// leader returns the member that says so of itself in the latest term.
func (c *Cluster) leader() (leader *Etcd) {
	var latest uint64
	for _, e := range c.Members {
		if term, ok := e.leads(); ok && term > latest {
			leader, latest = e, term
		}
	}
	return leader
}

// leads tells whether the etcd says that it is the leader, and in which term.
func (e *Etcd) leads() (term uint64, ok bool) {
	c, err := e.dial(2 * time.Second)
	if err != nil {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	s, err := c.Status(ctx, e.addr)
	// What is left of a client that got no answer concerns nobody.
	_ = c.Close()
	if err != nil {
		return 0, false
	}
	return s.RaftTerm, s.Leader == s.Header.MemberId
}
