package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestConfig lets both frameworks read the same configuration, all that v2 reads
// rightly, and wants the same answers of every method of a value.
func TestConfig(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	for key, value := range map[string]string{
		"/micro/config/database":       `{"address":"10.0.0.1","port":3306,"tls":false,"wait":"1m30s","rate":2.5,"none":null}`,
		"/micro/config/deep/er/key":    `[1,2]`,
		"/micro/config/both":           `{"old":1}`,
		"/micro/config/both/sub":       `2`,
		"/micro/config/quoted":         `"hello"`,
		"/micro/config/tail/":          `{"a":1}`,
		"/strip/app/db":                `{"h":"x","list":["a","b"],"text":"a,b","number":"42","true":"true"}`,
		"/strip/app/ünïcode":           `{"ключ":"значение"}`,
		"/strip/app/limits/per second": `100`,
		"/yaml/app/db":                 "host: h\nport: 1\non: yes\nday: 2020-01-01\nlist: [x, y]\n",
		"/yaml/app/text":               "hello",
		"/toml/app/db":                 "host = \"h\"\nport = 1\nday = 1979-05-27T07:32:00Z\n[sub]\nx = true\n",
	} {
		if _, err := c.Do(t.Context(), clientv3.OpPut(key, value)); err != nil {
			t.Fatal(err)
		}
	}
	// What the command writes.
	set := exec.CommandContext(t.Context(), testkit.Micro(t), "config", "set", "--registry_address="+e.Addr(),
		"written/port", "3307", "written/hosts", `["a","b"]`, "written/deep/er", `{"rate":2.5,"on":true,"text":"ünï <b>"}`, "written/old", "1")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	del := exec.CommandContext(t.Context(), testkit.Micro(t), "config", "del", "--registry_address="+e.Addr(), "written/old")
	if out, err := del.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	for _, args := range [][]string{{"keygen", keys}, {"set", "written/secret", "--key-file", keys, "--registry_address=" + e.Addr()}} {
		secret := exec.CommandContext(t.Context(), testkit.Micro(t), append([]string{"config", "secret"}, args...)...)
		secret.Stdin = strings.NewReader("Hunter2")
		if out, err := secret.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	paths := func(all ...string) (out [][]string) {
		for _, one := range all {
			out = append(out, strings.Split(one, "."))
		}
		return out
	}
	both := map[kind]*program{}
	for _, k := range kinds {
		both[k] = run(t, k, e.Addr(), "interop.config")
	}
	for what, c := range map[string]peer.Config{
		"etcd": {Prefix: "/micro/config/", Paths: paths("micro.config.database", "micro.config.database.address", "micro.config.database.port",
			"micro.config.database.tls", "micro.config.database.wait", "micro.config.database.rate", "micro.config.database.none",
			"micro.config.deep.er.key", "micro.config.both.old", "micro.config.both.sub", "micro.config.quoted", "micro.config.tail..a", "micro.nothing")},
		"written by the command": {Prefix: "/micro/config/", Paths: paths("micro.config.written", "micro.config.written.port", "micro.config.written.hosts",
			"micro.config.written.deep.er", "micro.config.written.deep.er.rate", "micro.config.written.deep.er.text", "micro.config.written.old", "micro.config.written.secret")},
		"stripped": {Prefix: "/strip/", Strip: true, Paths: paths("app.db.h", "app.db.list", "app.db.text", "app.db.number", "app.db.true",
			"app.ünïcode.ключ", "app.limits.per second", "app.db.list.0", "app.db")},
		"YAML in etcd": {Prefix: "/yaml/", Strip: true, Encoder: "yaml", Paths: paths("app.db", "app.text", "app.db.true", "app.db.day", "app.db.list")},
		"TOML in etcd": {Prefix: "/toml/", Strip: true, Encoder: "toml", Paths: paths("app.db", "app.db.day", "app.db.sub.x", "app.db.port")},
		"a file under a document": {
			Files: []string{file("a.json", `{"a":{"b":"filed","c":1},"n":12.5}`), file("b.yaml", "a:\n  b: yaml\n2: two\n"), file("c.toml", "d = [\"x\"]\n"), file("d.hcl2", `{"e":"json"}`)},
			Paths: paths("a.b", "a.c", "n", "2", "d", "e", "a", "nothing"),
		},
		"documents": {
			JSON: []string{
				`{"a":{"x":1,"l":[1,2]},"s":"under"}`, `{"a":{"y":"z","l":[3]},"s":"over"}`, `{"m":{"a":"x","b":1,"c":{"d":2}},"mixed":[1,"a",null],"strings":["a",null]}`,
			},
			Paths: paths("a", "a.x", "a.y", "a.l", "s", "m", "mixed", "strings", "s.below"),
		},
	} {
		t.Run(what, func(t *testing.T) {
			var got [2][]peer.Value
			for i, k := range kinds {
				both[k].do(peer.OpConfig, c, &got[i])
			}
			for i, path := range c.Paths {
				if !reflect.DeepEqual(got[0][i], got[1][i]) {
					t.Errorf("%q reads differently:\nv2:   %+v\nhere: %+v", path, got[0][i], got[1][i])
				}
			}
			if what == "written by the command" && (got[0][1].Int != 3307 || !reflect.DeepEqual(got[0][2].Slice, []string{"a", "b"}) || got[0][5].String != "ünï <b>" || got[0][6].Int != -1) {
				t.Errorf("v2 reads %+v", got[0])
			}
		})
	}

	// A gray: the node that it is for has its value, v2 what everybody has, until it is
	// promoted.
	mine, err := config.NewConfig(config.WithSource(etcd.NewSource(etcd.WithAddress(e.Addr()), etcd.Instance(source.Instance{Service: "gray", Node: "one"}))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mine.Close(); err != nil {
			t.Error(err)
		}
	})
	port := []string{"micro", "config", "written", "port"}
	for _, step := range []struct {
		args      []string
		mine, old int
	}{
		{[]string{"gray", "set", "trial", "written/port", "3308", "--service", "gray", "--percent", "100"}, 3308, 3307},
		{[]string{"promote", "trial"}, 3308, 3308},
	} {
		cmd := exec.CommandContext(t.Context(), testkit.Micro(t), append(append([]string{"config"}, step.args...), "--registry_address="+e.Addr())...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", step.args, err, out)
		}
		testkit.Eventually(t, 20*time.Second, "the node has the gray's value", func() bool { return mine.Get(port...).Int(0) == step.mine })
		var got []peer.Value
		both[v2].do(peer.OpConfig, peer.Config{Prefix: "/micro/config/", Paths: [][]string{port}}, &got)
		if len(got) != 1 || got[0].Int != step.old {
			t.Errorf("%q: v2 reads %+v, want %d", step.args, got, step.old)
		}
	}
}
