package testkit

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
)

// TestConsulIsBuilt is how make builds the agent before the tests that need it.
func TestConsulIsBuilt(t *testing.T) {
	if _, err := consul(); err != nil {
		Require(t, "consul", err)
	}
}

// enrol registers a service by the name at the agent.
func enrol(t testing.TB, c *Consul, name string) {
	t.Helper()
	c.Do(t, http.MethodPut, "/v1/agent/service/register", settings{"Name": name, "ID": name + "-1", "Port": 1})
}

// held returns how many nodes of a service the catalogue has.
func held(t testing.TB, c *Consul, name string) int {
	t.Helper()
	var nodes []json.RawMessage
	c.Get(t, "/v1/health/service/"+name, &nodes)
	return len(nodes)
}

func TestConsulLife(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]ConsulOption{"memory": nil, "disk": {ConsulOnDisk()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := StartConsul(t, opts...)
			enrol(t, c, "a")
			Eventually(t, 10*time.Second, "the service is in the catalogue", func() bool { return held(t, c, "a") == 1 })
			addr := c.Addr()
			c.Kill()
			if c.answers(100 * time.Millisecond) {
				t.Fatal("a killed agent answers")
			}
			c.Restart(t)
			if c.Addr() != addr {
				t.Fatalf("address %s became %s", addr, c.Addr())
			}
			want := 0
			if c.onDisk {
				want = 1
			}
			Eventually(t, 10*time.Second, "the agent knows what it is to know", func() bool { return held(t, c, "a") == want })
			c.Wipe()
			c.Restart(t)
			if n := held(t, c, "a"); n != 0 {
				t.Fatalf("%d nodes after a wipe, want 0", n)
			}
			c.Freeze(t)
			c.Thaw(t)
			c.WaitReady(t)
			c.Freeze(t)
			c.Stop(t) // a frozen one stops as well
		})
	}
}

func TestConsulIsShared(t *testing.T) {
	t.Parallel()
	c := SharedConsul(t)
	enrol(t, c, t.Name())
	if SharedConsul(t) != c {
		t.Error("the second is another")
	}
}

func TestConsulTLS(t *testing.T) {
	t.Parallel()
	ca := NewCA(t)
	c := StartConsul(t, ConsulTLS(ca), ConsulClientCerts())
	enrol(t, c, "a")
	bare := &http.Client{Transport: &http.Transport{TLSClientConfig: ca.TLS(), DisableKeepAlives: true}}
	if answer, err := bare.Get(c.URL() + "/v1/status/leader"); err == nil {
		answer.Body.Close()
		t.Error("a client without a certificate is answered")
	}
}

func TestConsulACL(t *testing.T) {
	t.Parallel()
	c := StartConsul(t, ConsulACL())
	token := c.NewToken(t, `service_prefix "" { policy = "read" }`)
	enrolAs := func(secret string) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.URL()+"/v1/agent/service/register?token="+secret, jsonBody(settings{"Name": "a"}))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return &ConsulError{Status: answer.StatusCode}
		}
		return nil
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	var refused *ConsulError
	for name, secret := range map[string]string{"no token": "", "read only": token.Secret} {
		if err := enrolAs(secret); !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
			t.Errorf("register with %s: got %v, want status 403", name, err)
		}
	}
	token.SetRules(t, `service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }`)
	Passes(t, 40*time.Second, "the token may write", func() error { return enrolAs(token.Secret) })
	token.Revoke(t)
	Eventually(t, 40*time.Second, "the token is refused", func() bool { return enrolAs(token.Secret) != nil })
}

func TestConsulCluster(t *testing.T) {
	t.Parallel()
	k := StartConsulCluster(t)
	enrol(t, k.Agent, "a")
	leader := k.Leader(t)
	leader.Kill()
	if next := k.Leader(t); next == leader {
		t.Errorf("%s leads after its death", next.Node())
	}
	Eventually(t, 20*time.Second, "the agent answers again", func() bool {
		_, err := k.Agent.Try(t, http.MethodGet, "/v1/health/service/a", nil)
		return err == nil
	})
	leader.Restart(t)
}
