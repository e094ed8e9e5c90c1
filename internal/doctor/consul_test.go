package doctor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// examineConsul examines the agent with the token.
func examineConsul(t *testing.T, addr, token string) []Finding {
	t.Helper()
	return ExamineConsul(t.Context(), consul.Config{Addrs: []string{addr}, Timeout: 9 * time.Second, Credentials: credentials.Credentials{Token: token}})
}

// instance is what an agent is told of a node; check is that of its health.
func instance(t *testing.T, service, id string, port int, check map[string]any) map[string]any {
	t.Helper()
	n := &registry.Node{Id: id, Address: "127.0.0.1:1"}
	all, err := tags.Encode(&registry.Service{Name: service, Version: "1", Nodes: []*registry.Node{n}}, n, id)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]any{"ID": id, "Name": service, "Address": "127.0.0.1", "Port": port, "Tags": all}
	if check != nil {
		told["Check"] = check
	}
	return told
}

func TestConsul(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	all := examineConsul(t, agent.Addr(), "")
	want(t, all)
	says(t, all, "consul.answers", "server", `datacenter "dc1"`)
	says(t, all, "cluster.leader", "leader")
	says(t, all, "auth.off", "its own host")
	says(t, all, "registry.read", "0 nodes of 0 services")

	passing := map[string]any{"TTL": "1m", "Status": "passing"}
	for _, told := range []map[string]any{
		instance(t, "shop", "shop-1", 1, passing),
		instance(t, "shop", "shop-2", 1, map[string]any{"TTL": "1m"}),
		instance(t, "cart", "cart-1", 1, nil),
		{"ID": "garbage", "Name": "garbage", "Tags": []string{"t-zz", "v-00"}},
		{"ID": "foreign", "Name": "postgres", "Address": "127.0.0.1", "Port": 5432},
	} {
		agent.Do(t, http.MethodPut, "/v1/agent/service/register", told)
	}
	agent.Do(t, http.MethodPut, "/v1/agent/service/maintenance/shop-1?enable=true&reason=disk+full", nil)
	testkit.Eventually(t, 20*time.Second, "the servers know all of it", func() bool {
		all = examineConsul(t, agent.Addr(), "")
		return len(find(all, "node.paused")) > 0 && len(find(all, "node.no_check")) > 0 && len(find(all, "node.tags_unreadable")) > 0 && len(find(all, "node.check_critical")) > 0
	})
	says(t, all, "registry.read", "3 nodes of 2 services")
	says(t, all, "node.paused", "shop/shop-1", "disk full", "`micro node resume shop shop-1`")
	says(t, all, "node.check_critical", "shop/shop-2", "callers do not find it")
	says(t, all, "node.no_check", "cart/cart-1", "it stays registered")
	says(t, all, "node.unreachable", "nothing answers at 127.0.0.1:1")
	says(t, all, "node.duplicate_address", "several nodes are registered at 127.0.0.1:1")
}

func TestConsulRights(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	want(t, examineConsul(t, agent.Addr(), testkit.ManagementToken))
	says(t, examineConsul(t, agent.Addr(), testkit.ManagementToken), "auth.rights", "register any")
	narrow := agent.NewToken(t, `service_prefix "shop" { policy = "write" } node_prefix "" { policy = "read" }`)
	all := examineConsul(t, agent.Addr(), narrow.Secret)
	want(t, all, "warning auth.no_read", "warning auth.no_write", "problem registry.denied")
	says(t, all, "consul.answers", "agent:read")
	// One that sees its own service at least is good for something.
	agent.Do(t, http.MethodPut, "/v1/agent/service/register", instance(t, "shop", "shop-1", 1, map[string]any{"TTL": "1m", "Status": "passing"}))
	testkit.Eventually(t, 20*time.Second, "the token sees the service", func() bool {
		all = examineConsul(t, agent.Addr(), narrow.Secret)
		return len(find(all, "registry.denied")) == 0
	})
	says(t, all, "registry.read", "1 node of 1 service")
	unknown := examineConsul(t, agent.Addr(), "00000000-0000-0000-0000-00000000dead")
	want(t, unknown, "problem auth.refused")
}

func TestConsulThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>"))
	}))
	defer page.Close()
	for addr, code := range map[string]string{
		gone(t):                       "problem consul.refused",
		listen(t):                     "problem consul.no_answer",
		page.Listener.Addr().String(): "problem consul.error",
		"a:b:c":                       "problem address.malformed",
		"no-such-host.invalid:8500":   "problem consul.unresolvable",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		want(t, ExamineConsul(ctx, consul.Config{Addrs: []string{addr}, Timeout: 3 * time.Second}), code)
		cancel()
	}
}

func TestFound(t *testing.T) {
	here := listen(t)
	services := []*registry.Service{{Name: "shop", Nodes: []*registry.Node{{Id: "shop-1", Address: here}, {Id: "shop-2", Address: gone(t)}, {Id: "shop-3", Address: "0.0.0.0:1"}}}}
	all := ExamineFound(t.Context(), "mdns", services, time.Second, nil)
	want(t, all, "problem node.unreachable", "problem node.address_wildcard")
	says(t, all, "registry.read", "3 nodes of 1 service found")
	says(t, all, "node.unreachable", "shop/shop-2", "that host alone reaches it")
	want(t, ExamineFound(t.Context(), "mdns", nil, 0, context.DeadlineExceeded), "problem registry.unreadable")
}
