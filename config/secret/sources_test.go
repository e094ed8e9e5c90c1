package secret_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/consul"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/config/source/file"
	"github.com/rollcall-go/micro/internal/testkit"
)

// opening returns a configuration that opens secrets with a key.
func opening(t *testing.T, k *secret.PrivateKey, s ...source.Source) config.Config {
	t.Helper()
	c, err := config.NewConfig(config.WithReader(secret.NewReader(secret.Given(k))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Load(s...); err != nil {
		t.Fatal(err)
	}
	return c
}

func password(c config.Config) string { return c.Get("db", "password").String("none") }

// TestSecretsInFiles has one in each format whose values are as JSON's.
func TestSecretsInFiles(t *testing.T) {
	t.Parallel()
	k := key(t)
	text := sealed(t, k, "db/password", `"Hunter2"`)
	for name, format := range map[string]string{"a.json": `{"db":{"password":%q}}`, "a.yaml": "db:\n  password: %s\n", "a.toml": "[db]\npassword = %q\n"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, fmt.Appendf(nil, format, text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := password(opening(t, k, file.NewSource(file.WithPath(path)))); got != "Hunter2" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestSecretsInConsul(t *testing.T) {
	t.Parallel()
	agent := testkit.StartConsul(t)
	k, later := key(t), key(t)
	put := func(key, text string) {
		t.Helper()
		agent.Do(t, "PUT", "/v1/kv/"+key, json.RawMessage(fmt.Sprintf("%q", text)))
	}
	put("micro/config/db/password", sealed(t, k, "db/password", `"Hunter2"`))
	c := opening(t, k, consul.NewSource(consul.WithAddress(agent.Addr()), consul.StripPrefix(true)))
	if got := password(c); got != "Hunter2" {
		t.Errorf("got %q", got)
	}
	put("micro/config/db/password", sealed(t, later, "db/password", `"Hunter3"`))
	testkit.Eventually(t, patience, "the key is named", func() bool {
		refused := config.Status(c)[0].Refused
		return len(refused) == 1 && refused[0].Key == "micro/config/db/password" && refused[0].Revision > 0 && errors.Is(refused[0].Err, secret.ErrNoKey)
	})
	if got := password(c); got != "Hunter2" {
		t.Errorf("the last one that could be opened is %q", got)
	}
}

// TestSecretsOfNamespaces has one path in two namespaces, each with a key of its own, and a
// secret in a gray. A source whose paths are shorter than those that secrets are sealed for
// says so.
func TestSecretsOfNamespaces(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	put := func(key, text string) {
		t.Helper()
		if _, err := client.Put(t.Context(), key, text); err != nil {
			t.Fatal(err)
		}
	}
	blue, green := key(t), key(t)
	quoted := func(k *secret.PrivateKey, text string) string {
		return fmt.Sprintf("%q", sealed(t, k, "db/password", text))
	}
	put("/blue/micro/config/db/password", quoted(blue, `"of blue"`))
	put("/green/micro/config/db/password", quoted(green, `"of green"`))
	of := func(namespace string, opts ...source.Option) source.Source {
		return etcd.NewSource(append([]source.Option{etcd.WithAddress(e.Addr()), etcd.Namespace(namespace), etcd.StripPrefix(true)}, opts...)...)
	}
	if got := password(opening(t, blue, of("blue"))); got != "of blue" {
		t.Errorf("blue has %q", got)
	}
	if got := password(opening(t, green, of("green"))); got != "of green" {
		t.Errorf("green has %q", got)
	}
	across := opening(t, blue, of("green"))
	if refused := config.Status(across)[0].Refused; password(across) != "none" || len(refused) != 1 || !errors.Is(refused[0].Err, secret.ErrNoKey) {
		t.Errorf("with the key of blue, green has %q and refuses %v", password(across), refused)
	}

	first := opening(t, blue, of("blue", etcd.Instance(source.Instance{Service: "shop", Node: "first"})))
	record, err := json.Marshal(map[string]any{"match": map[string]any{"nodes": []string{"first"}}, "values": map[string]string{"db/password": quoted(blue, `"of some"`)}})
	if err != nil {
		t.Fatal(err)
	}
	put("/blue/micro/rollcall/config/gray/trial", string(record))
	testkit.Eventually(t, patience, "the gray's secret is open", func() bool { return password(first) == "of some" })

	short := opening(t, blue, of("blue", etcd.WithPrefix("/micro/config/db/")))
	refused := config.Status(short)[0].Refused
	if len(refused) != 1 || !errors.Is(refused[0].Err, secret.ErrOpened) || !strings.Contains(refused[0].Err.Error(), `at "password"`) || !strings.Contains(refused[0].Err.Error(), "strips more than /micro/config/") {
		t.Errorf("with a longer prefix stripped: %v", refused)
	}
}
