package faults

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
)

// mayAll is what a token of a service needs.
const mayAll = `service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }`

// Row A17, Consul: the token has no right. The service serves all the same, and
// everything says at once which right is missing and where. It is registered 4 s after
// the right was given.
func TestConsulA17TokenWithoutRights(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	for name, rights := range map[string]struct{ rules, says string }{
		"none":     {``, "Permission denied"},
		"to read":  {`service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`, "service:write"},
		"to write": {mayAll, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := "refused." + strings.ReplaceAll(name, " ", "-")
			token := agent.NewToken(t, rights.rules)
			r := fleet.Consul(t, agent.Addr(), consul.Token(token.Secret), registry.Timeout(refusalTimeout))
			n := fleet.Service(t, service, r, nil)
			if rights.says != "" {
				testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.Ready()), rights.says) })
				t.Logf("readiness: %v", n.Ready())
				var err error
				began := time.Now()
				err = r.Register(fleet.Record(service, "other"))
				within(t, "Register refused", time.Since(began), atOnce)
				for _, s := range []string{"403", "service:write", service, agent.Addr()} {
					if err == nil || !strings.Contains(err.Error(), s) {
						t.Errorf("Register: %v does not say %q", err, s)
					}
				}
				token.SetRules(t, mayAll)
			}
			// An agent believes what it was told of a token for 30 s, unless it is a server.
			took := n.Until(t, time.Now(), 4*time.Second)
			t.Logf("measured: registered %v after the right was given, bound 4s", took.Round(time.Millisecond))
			c := fleet.Client(t, r)
			testkit.Passes(t, patience, "calls succeed", func() error { return fleet.Say(t.Context(), c, service) })
		})
	}
}

// Row A17, Consul: who may not read a service is not told that there is none.
func TestConsulA17LookupsWithoutRights(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	n := fleet.Service(t, "greeter", fleet.Consul(t, agent.Addr(), consul.Token(agent.NewToken(t, mayAll).Secret)), nil)
	n.Until(t, n.Began(), 5*time.Second)
	for name, opts := range map[string][]registry.Option{
		"no token":        nil,
		"no right":        {consul.Token(agent.NewToken(t, ``).Secret)},
		"service alone":   {consul.Token(agent.NewToken(t, `service_prefix "" { policy = "read" }`).Secret)},
		"another service": {consul.Token(agent.NewToken(t, `service "other" { policy = "read" } node_prefix "" { policy = "read" }`).Secret)},
		"unknown token":   {consul.Token("1c8a2f0e-0000-0000-0000-000000000000")},
	} {
		t.Run(name, func(t *testing.T) {
			r := fleet.Consul(t, agent.Addr(), append(opts, registry.Timeout(refusalTimeout))...)
			c := fleet.Client(t, r)
			for what, call := range map[string]func() error{
				"GetService": func() error { _, err := r.GetService("greeter"); return err },
				"a call":     func() error { return fleet.Say(t.Context(), c, "greeter") },
			} {
				began := time.Now()
				err := call()
				took := time.Since(began)
				within(t, what, took, atOnce)
				t.Logf("%s: %v", what, err)
				for _, s := range []string{"token", agent.Addr()} {
					if err == nil || !strings.Contains(err.Error(), s) {
						t.Errorf("%s: %v does not say %q", what, err, s)
					}
				}
			}
		})
	}
}

// Row A17, Consul, the other half: who may read is told that there is none.
func TestConsulA17LookupsWithRights(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	token := agent.NewToken(t, mayAll)
	agent.LetEverybody(t, `service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`)
	for name, opts := range map[string][]registry.Option{
		"a token":   {consul.Token(token.Secret)},
		"everybody": nil,
	} {
		if _, err := fleet.Consul(t, agent.Addr(), opts...).GetService("nobody"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
}

// Row A17, Consul: the token is revoked while the service runs. Within a TTL it is known
// and told, calls go on; it is registered again 4 s after it has a token that counts.
func TestConsulA17TokenIsRevoked(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t, testkit.ConsulACL())
	reader := fleet.Consul(t, agent.Addr(), consul.Token(testkit.ManagementToken))
	token := agent.NewToken(t, mayAll)
	file := t.TempDir() + "/token"
	write(t, file, token.Secret)
	r := fleet.Consul(t, agent.Addr(), consul.TokenFile(file))
	n := fleet.Service(t, "greeter", r, nil)
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(reader, "greeter", 1) })
	c := fleet.Client(t, reader)
	fleet.MustSay(t, c, "greeter")
	load := fleet.StartLoad(t, c, "greeter", 1, 10*time.Millisecond)
	token.Revoke(t)
	testkit.Eventually(t, patience, "the refusal is known", func() bool { return n.Ready() != nil })
	t.Logf("readiness: %v", n.Ready())
	write(t, file, agent.NewToken(t, mayAll).Secret)
	t.Logf("measured: registered %v after another token was given, bound 4s", n.Until(t, time.Now(), 4*time.Second))
	testkit.Eventually(t, patience, "the node is listed", func() bool { return fleet.Listed(reader, "greeter", 1) })
	load.More(t, 50)
	judge(t, load, 50)
}

// Row A17, Consul: the agent has a certificate of an unknown authority.
func TestConsulA17WrongAuthority(t *testing.T) {
	t.Parallel()
	theirs, ours := testkit.NewCA(t), testkit.NewCA(t)
	agent := testkit.StartConsul(t, testkit.ConsulTLS(theirs))
	r := fleet.Consul(t, agent.URL(), registry.TLSConfig(ours.TLS()), registry.Timeout(refusalTimeout))
	n := fleet.Service(t, "greeter", r, nil)
	testkit.Eventually(t, 5*time.Second, "the refusal is known", func() bool { return strings.Contains(fmt.Sprint(n.Ready()), "certificate") })
	refused(t, n, r, "certificate", agent.Addr())
	right := fleet.Consul(t, agent.URL(), registry.TLSConfig(theirs.TLS()))
	fleet.Service(t, "elsewhere", right, nil)
	fleet.MustSay(t, fleet.Client(t, right), "elsewhere")
}
