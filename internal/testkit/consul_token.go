package testkit

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"
)

// ConsulToken is a token that may do what its rules say.
type ConsulToken struct {
	Secret string // what a client sends

	accessor string
	policy   settings
	consul   *Consul
}

// NewToken makes a token with these rights, in Consul's language for rules:
//
//	service_prefix "" { policy = "write" }
//
// The agent needs ConsulACL.
func (c *Consul) NewToken(t testing.TB, rules string) *ConsulToken {
	t.Helper()
	token := c.policy(t, rules)
	var made struct{ AccessorID, SecretID string }
	token.put(t, "/v1/acl/token", settings{"Policies": []any{settings{"ID": token.policy["ID"]}}}, &made)
	token.accessor, token.Secret = made.AccessorID, made.SecretID
	return token
}

// LetEverybody gives these rights to whoever has no token.
func (c *Consul) LetEverybody(t testing.TB, rules string) {
	t.Helper()
	token := c.policy(t, rules)
	const everybody = "00000000-0000-0000-0000-000000000002"
	token.put(t, "/v1/acl/token/"+everybody, settings{"Policies": []any{settings{"ID": token.policy["ID"]}}}, new(settings))
}

// policy makes rules that a token may have.
func (c *Consul) policy(t testing.TB, rules string) *ConsulToken {
	t.Helper()
	token := &ConsulToken{consul: c, policy: settings{"Name": uuid.NewString(), "Rules": rules}}
	token.put(t, "/v1/acl/policy", token.policy, &token.policy)
	return token
}

// SetRules replaces what the token may do.
func (k *ConsulToken) SetRules(t testing.TB, rules string) {
	t.Helper()
	k.policy["Rules"] = rules
	delete(k.policy, "Hash")
	k.put(t, "/v1/acl/policy/"+k.policy["ID"].(string), k.policy, &k.policy)
}

// Revoke removes the token.
func (k *ConsulToken) Revoke(t testing.TB) {
	t.Helper()
	k.consul.Do(t, http.MethodDelete, "/v1/acl/token/"+k.accessor, nil)
}

func (k *ConsulToken) put(t testing.TB, path string, body, answer any) {
	t.Helper()
	if err := json.Unmarshal(k.consul.Do(t, http.MethodPut, path, body), answer); err != nil {
		t.Fatalf("read the answer to %s: %v", path, err)
	}
}
