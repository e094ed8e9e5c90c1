package testkit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// ConsulCluster is three servers of one datacenter and a client agent, to which
// programs talk, as in production. Each is a process of its own that can be killed,
// frozen and restarted like any Consul.
type ConsulCluster struct {
	Servers [clusterSize]*Consul
	Agent   *Consul
}

// StartConsulCluster starts a cluster on the loopback interface and returns once all
// of it is in the catalogue.
func StartConsulCluster(t testing.TB, opts ...ConsulOption) *ConsulCluster {
	t.Helper()
	k := &ConsulCluster{Agent: newConsul(t, opts)}
	k.Agent.client = true
	var servers []string
	for i := range k.Servers {
		s := newConsul(t, append(opts, ConsulOnDisk()))
		s.node = fmt.Sprintf("server-%d", i)
		s.take(t)
		servers = append(servers, s.serf)
		k.Servers[i] = s
	}
	k.Agent.take(t)
	for _, c := range k.all() {
		c.cluster = servers
		c.start(t)
	}
	for _, c := range k.all() {
		c.WaitReady(t)
	}
	return k
}

func (k *ConsulCluster) all() []*Consul { return append(k.Servers[:], k.Agent) }

// Leader waits until a server leads that runs, and returns it.
func (k *ConsulCluster) Leader(t testing.TB) *Consul {
	t.Helper()
	var leader *Consul
	Eventually(t, readyTimeout, "the cluster has a leader", func() bool {
		leader = k.leader(t)
		return leader != nil
	})
	return leader
}

// leader returns the server that says so of itself.
func (k *ConsulCluster) leader(t testing.TB) *Consul {
	for _, s := range k.Servers {
		if !s.process().alive() {
			continue
		}
		text, err := s.Try(t, http.MethodGet, "/v1/status/leader", nil)
		var addr string
		if err == nil && json.Unmarshal(text, &addr) == nil && addr == s.rpc {
			return s
		}
	}
	return nil
}
