package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestRotation seals many secrets for another key, while somebody writes one of them and
// etcd goes away in the middle. Run again, it is complete; nobody's value is lost.
func TestRotation(t *testing.T) {
	const secrets = 230 // five releases
	server := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, server.Addr())
	client := server.Client(t)
	file := filepath.Join(t.TempDir(), "keys")
	at := func(addr string) []string { return []string{"--registry_address=" + addr, "--key-file=" + file} }
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := micro(t, args...)
		if code != exitOK {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr)
		}
		return stdout
	}
	must("config", "secret", "keygen", file)
	keys := secret.File(file)
	all, err := keys.All()
	if err != nil {
		t.Fatal(err)
	}
	seal := func(key *secret.PrivateKey, place, text string) string {
		t.Helper()
		s, err := key.Public().Seal(place, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%q", s)
	}
	tree := map[string]string{}
	for i := range secrets {
		key := fmt.Sprintf("s/%03d", i)
		tree[key] = seal(all[0], key, fmt.Sprint(i))
	}
	tree["object"] = `{"a": [` + seal(all[0], "object/a", `"x"`) + `], "b": ` + seal(all[0], "object/b", `"y"`) + `, "c" : 1.50}`
	// Past the command, for the rotation is what is to be seen.
	for key, value := range tree {
		if _, err := client.Put(t.Context(), "/micro/config/"+key, string(value)); err != nil {
			t.Fatal(err)
		}
	}
	gray := fmt.Sprintf(`{"match":{"percent":10},"values":{"s/000":%q}}`, seal(all[0], "s/000", `"gray"`))
	if _, err := client.Put(t.Context(), "/micro/rollcall/config/gray/try", gray); err != nil {
		t.Fatal(err)
	}
	must("config", "secret", "keygen", file, "--add")
	if all, err = keys.All(); err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}

	// Behind the first release of the rotation somebody changes the last secret.
	const last = "/micro/config/s/229"
	changed := seal(all[1], "s/229", `"changed"`)
	released := client.Watch(t.Context(), "/micro/rollcall/config/release/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if created := <-released; !created.Created {
		t.Fatalf("no watch: %+v", created)
	}
	done := make(chan error, 1)
	go func() {
		<-released
		_, err := client.Put(t.Context(), last, changed)
		done <- err
	}()
	code, _, stderr := micro(t, append([]string{"config", "secret", "rotate"}, at(proxy.Addr())...)...)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if code != exitOK && (!strings.Contains(stderr, "run it again to go on") || !strings.Contains(stderr, "s/229")) {
		t.Errorf("exit code %d: %s", code, stderr)
	}

	// A third key, and etcd goes away behind the first release.
	must("config", "secret", "keygen", file, "--add")
	released = client.Watch(t.Context(), "/micro/rollcall/config/release/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-released
	go func() {
		<-released
		proxy.Cut()
		done <- nil
	}()
	code, _, stderr = micro(t, append([]string{"config", "secret", "rotate", "--timeout=2s"}, at(proxy.Addr())...)...)
	<-done
	if code != exitOK && !strings.Contains(stderr, "run it again to go on") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	proxy.Restore(t)
	must(append([]string{"config", "secret", "rotate"}, at(server.Addr())...)...)

	if all, err = keys.All(); err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	var rows []secretRow
	if err := json.Unmarshal([]byte(must(append([]string{"config", "secret", "list", "-o", "json"}, at(server.Addr())...)...)), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != secrets+3 {
		t.Errorf("%d secrets, want %d", len(rows), secrets+3)
	}
	for _, r := range rows {
		if r.KeyID != all[0].ID() || r.Opens == nil || !*r.Opens {
			t.Errorf("after the rotation: %+v", r)
		}
	}
	for key, want := range map[string]string{"s/007": "7", "s/229": `"changed"`, "object": `{"a": ["x"], "b": "y", "c" : 1.50}`} {
		if got := strings.TrimSpace(must(append([]string{"config", "secret", "reveal", key}, at(server.Addr())...)...)); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if out := must(append([]string{"config", "secret", "rotate"}, at(server.Addr())...)...); !strings.HasPrefix(out, "0 keys are sealed") {
		t.Errorf("once more: %s", out)
	}
}
