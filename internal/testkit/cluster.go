package testkit

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// clusterSize is the number of members of a cluster: one may be away.
const clusterSize = 3

// Cluster is three members of one etcd cluster, of Debian's etcd unless OfKind says
// otherwise, each in a process of its own. A member can be killed, frozen and
// restarted like any Etcd.
type Cluster struct {
	Members [clusterSize]*Etcd
	link    func(t testing.TB, i int, state string) // nil: all are on the loopback interface
}

// member is what an Etcd needs to know to be one of several.
type member struct {
	name      string
	peer      string   // host:port for the other members
	others    string   // all members, in the form that etcd wants
	namespace []string // command that enters its network; empty: ours
}

// StartCluster starts a cluster on the loopback interface and returns once all of
// its members answer.
func StartCluster(t testing.TB, opts ...EtcdOption) *Cluster {
	t.Helper()
	c := &Cluster{}
	for i := range c.Members {
		c.Members[i] = &Etcd{kind: Debian, addr: freeAddr(t), member: &member{peer: freeAddr(t)}}
		for _, o := range opts {
			o(c.Members[i])
		}
	}
	c.start(t)
	return c
}

func (c *Cluster) start(t testing.TB) {
	t.Helper()
	var all []string
	for i, e := range c.Members {
		e.member.name = fmt.Sprintf("m%d", i)
		all = append(all, e.member.name+"=http://"+e.member.peer)
	}
	for _, e := range c.Members {
		e.binary = binaryOf(t, e.kind)
		e.dir = filepath.Join(t.TempDir(), "data")
		e.member.others = strings.Join(all, ",")
		t.Cleanup(func() {
			e.Kill()
			if t.Failed() {
				t.Logf("output of member %s on %s:\n%s", e.member.name, e.addr, e.output.String())
			}
		})
		e.start(t)
	}
	for _, e := range c.Members {
		e.WaitReady(t)
	}
}

// Addrs returns the addresses on which clients are served.
func (c *Cluster) Addrs() []string {
	out := make([]string, len(c.Members))
	for i, e := range c.Members {
		out[i] = e.addr
	}
	return out
}

// command returns the program and the arguments of a member. Its ticks are those
// of etcd's defaults: a busy machine should not change the leader.
func (m *member) command(e *Etcd) (string, []string) {
	if !e.kind.upstream() {
		return m.ours(e)
	}
	line := append(m.namespace[:len(m.namespace):len(m.namespace)], e.binary,
		"--name", m.name, "--data-dir", e.dir,
		"--listen-client-urls", e.URL(), "--advertise-client-urls", e.URL(),
		"--listen-peer-urls", "http://"+m.peer, "--initial-advertise-peer-urls", "http://"+m.peer,
		"--initial-cluster", m.others, "--initial-cluster-token", m.others,
	)
	line = append(line, e.kind.quiet("error")...)
	return line[0], line[1:]
}
