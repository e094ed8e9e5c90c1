package consul_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
)

// TestPolicyOfTheDocs shows that the rights in docs/CONSUL.md are all that a service
// needs.
func TestPolicyOfTheDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/CONSUL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```hcl\n")
	rules, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no policy in docs/CONSUL.md")
	}
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	r := open(t, agent.Addr(), consul.Token(agent.NewToken(t, rules).Secret))
	agent.Do(t, "PUT", "/v1/agent/service/register", map[string]any{"Name": "other", "Address": "10.0.0.9", "Port": 1})
	w, err := r.Watch(registry.WatchService("greeter"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	greeter := node("greeter", "greeter-1", "10.0.0.1:1")
	register(t, r, greeter)
	if e, err := w.Next(); err != nil || e.Action != registry.Create.String() {
		t.Errorf("the watcher saw %+v, %v", e, err)
	}
	found(t, r, "other", "10.0.0.9:1")
	found(t, r, "greeter", "10.0.0.1:1")
	agent.Do(t, "PUT", "/v1/agent/service/deregister/greeter-1", nil)
	found(t, r, "greeter", "10.0.0.1:1") // put back
	if err := r.Deregister(greeter); err != nil {
		t.Error(err)
	}
	found(t, r, "greeter")
	if err := r.Register(node("other", "other-1", "10.0.0.2:1")); err == nil || !strings.Contains(err.Error(), `service:write on "other"`) {
		t.Errorf("register as another service: %v", err)
	}
}
