package faults

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
)

// enrol tells the agent of a node as another program would. The text is told apart by
// readers.
func enrol(t *testing.T, agent *testkit.Consul, name, id, text string) {
	t.Helper()
	n := &registry.Node{Id: id, Address: "127.0.0.1:1", Metadata: map[string]string{"text": text}}
	instance(t, agent, &registry.Service{Name: name, Version: "1"}, n)
}

// instance tells the agent of a node whose check nobody renews for ten minutes.
func instance(t *testing.T, agent *testkit.Consul, s *registry.Service, n *registry.Node) {
	t.Helper()
	all, err := tags.Encode(s, n, n.Id)
	if err != nil {
		t.Fatal(err)
	}
	host, text, err := net.SplitHostPort(n.Address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	agent.Do(t, http.MethodPut, "/v1/agent/service/register", map[string]any{
		"ID": n.Id, "Name": s.Name, "Tags": all, "Address": host, "Port": port,
		"Check": map[string]string{"TTL": "10m", "Status": "passing"},
	})
}

// strike removes an instance from the agent, as an operator does.
func strike(t *testing.T, agent *testkit.Consul, id string) {
	t.Helper()
	agent.Do(t, http.MethodPut, "/v1/agent/service/deregister/"+url.PathEscape(id), nil)
}

// enrolled returns what the catalogue holds of a service, with the texts, in a form
// that can be compared.
func enrolled(t *testing.T, agent *testkit.Consul, name string) string {
	t.Helper()
	var entries []struct {
		Service struct {
			ID   string
			Tags []string
		}
		Checks []struct{ Status string }
	}
	agent.Get(t, "/v1/health/service/"+name, &entries)
	nodes := map[string]string{}
	for _, e := range entries {
		r, err := tags.Decode(e.Service.Tags)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(e.Checks, func(c struct{ Status string }) bool { return c.Status == "critical" }) {
			nodes[name+"/"+e.Service.ID] = r.Node["text"]
		}
	}
	return outline(nodes)
}

// holds waits until the catalogue holds n nodes of a service.
func holds(t *testing.T, agent *testkit.Consul, name string, n int) {
	t.Helper()
	testkit.Eventually(t, patience, fmt.Sprintf("the catalogue holds %d nodes of %s", n, name), func() bool {
		held := enrolled(t, agent, name)
		return len(strings.Fields(held)) == n
	})
}

// unattendedInConsul starts n nodes of a service that live but whose checks nobody
// renews, and returns their ids.
func unattendedInConsul(t *testing.T, agent *testkit.Consul, name string, own registry.Registry, n int) (ids []string) {
	t.Helper()
	testkit.Eventually(t, patience, "the nodes run", func() bool { return fleet.Listed(own, name, n) })
	services, err := own.GetService(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		for _, node := range s.Nodes {
			instance(t, agent, s, node)
			ids = append(ids, node.Id)
		}
	}
	return ids
}

// expire makes the check of an instance critical, as the end of its time does.
func expire(t *testing.T, agent *testkit.Consul, id string) {
	t.Helper()
	agent.Do(t, http.MethodPut, "/v1/agent/check/fail/service:"+url.PathEscape(id)+"?note=TTL+expired", nil)
}

// write writes a file as a tool that replaces secrets does.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
