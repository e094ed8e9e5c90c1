package etcd

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

// grayFor is the record of a gray for a node.
func grayFor(node string, pairs ...string) string {
	var values []string
	for i := 0; i < len(pairs); i += 2 {
		values = append(values, fmt.Sprintf("%q:%s", pairs[i], pairs[i+1]))
	}
	return fmt.Sprintf(`{"match":{"nodes":[%q]},"values":{%s}}`, node, strings.Join(values, ","))
}

const grays = "/micro/rollcall/config/gray/"

func TestGrays(t *testing.T) {
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	at := func(node string, opts ...source.Option) source.Source {
		return NewSource(append([]source.Option{WithAddress(e.Addr()), StripPrefix(true), Instance(source.Instance{Node: node})}, opts...)...)
	}
	clean := func(t *testing.T) {
		write(t, c, clientv3.OpDelete("/", clientv3.WithPrefix()))
	}

	t.Run("come, change and go", func(t *testing.T) {
		clean(t)
		write(t, c, clientv3.OpPut("/micro/config/db/port", "1"), clientv3.OpPut("/micro/config/name", `"x"`))
		mine, other := at("n1"), at("n2")
		f, g := follow(t, mine), follow(t, other)
		f.until(`{"db":{"port":1},"name":"x"}`)
		write(t, c, clientv3.OpPut(grays+"new-port", grayFor("n1", "db/port", `"2"`, "name", "null")))
		f.until(`{"db":{"port":2}}`)
		if status := mine.(source.Reporter).Status(); len(status.Grays) != 1 || status.Grays[0] != "new-port" {
			t.Errorf("in force are %q", status.Grays)
		}
		write(t, c, clientv3.OpPut(grays+"new-port", grayFor("n2", "db/port", `"3"`)))
		f.until(`{"db":{"port":1},"name":"x"}`)
		g.until(`{"db":{"port":3},"name":"x"}`)
		if got := read(t, other); got != `{"db":{"port":3},"name":"x"}` {
			t.Errorf("read %s", got)
		}
		write(t, c, clientv3.OpDelete(grays+"new-port"))
		g.until(`{"db":{"port":1},"name":"x"}`)
	})

	t.Run("a read sees what was written before it", func(t *testing.T) {
		clean(t)
		s := at("n1")
		follow(t, s)
		for i := range 30 {
			write(t, c, clientv3.OpPut(grays+"g", grayFor("n1", "n", fmt.Sprintf(`"%d"`, i))))
			if got, want := read(t, s), fmt.Sprintf(`{"n":%d}`, i); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	})

	t.Run("promoting and what brings it back are one change", func(t *testing.T) {
		clean(t)
		write(t, c, clientv3.OpPut("/micro/config/a", "0"), clientv3.OpPut("/micro/config/b", "0"), clientv3.OpPut(grays+"g", grayFor("n1", "a", `"1"`, "b", `"1"`)))
		mine, other := follow(t, at("n1")), follow(t, at("n2"))
		mine.until(`{"a":1,"b":1}`)
		other.until(`{"a":0,"b":0}`)
		for range 20 {
			write(t, c, clientv3.OpPut("/micro/config/a", "1"), clientv3.OpPut("/micro/config/b", "1"), clientv3.OpDelete(grays+"g"))
			write(t, c, clientv3.OpPut("/micro/config/a", "0"), clientv3.OpPut("/micro/config/b", "0"), clientv3.OpPut(grays+"g", grayFor("n1", "a", `"1"`, "b", `"1"`)))
		}
		write(t, c, clientv3.OpPut("/micro/config/end", "1"))
		for _, state := range mine.until(`{"a":1,"b":1,"end":1}`) {
			if state != `{"a":1,"b":1}` {
				t.Errorf("the node that had the gray saw %s", state)
			}
		}
		for _, state := range other.until(`{"a":0,"b":0,"end":1}`) {
			if state != `{"a":0,"b":0}` && state != `{"a":1,"b":1}` {
				t.Errorf("another node saw %s", state)
			}
		}
	})

	t.Run("namespaces and layers", func(t *testing.T) {
		clean(t)
		s := at("n1", Namespace("blue"), Layers("shop", "prod"))
		f := follow(t, s)
		write(t, c, clientv3.OpPut("/blue/micro/config/_service/shop/a", "1"),
			clientv3.OpPut(grays+"green", grayFor("n1", "a", `"7"`)),
			clientv3.OpPut("/blue"+grays+"g", `{"match":{"services":["shop"],"environments":["prod"],"percent":100},"values":{"_environment/prod/a":"2"}}`))
		f.until(`{"a":2}`)
	})

	t.Run("who reads comes later", func(t *testing.T) {
		clean(t)
		write(t, c, clientv3.OpPut("/micro/config/a", "1"), clientv3.OpPut(grays+"g", grayFor("n7", "a", `"2"`)))
		s := NewSource(WithAddress(e.Addr()), StripPrefix(true))
		f := follow(t, s)
		f.until(`{"a":1}`)
		s.(source.Instanced).SetInstance(source.Instance{Node: "n7"})
		f.until(`{"a":2}`)
	})

	t.Run("what cannot be read keeps the last good one", func(t *testing.T) {
		clean(t)
		s := at("n1")
		f := follow(t, s)
		write(t, c, clientv3.OpPut(grays+"g", grayFor("n1", "a", `"1"`)))
		f.until(`{"a":1}`)
		for i, bad := range []string{
			"hunter2", `{"match":{"percent":-1},"values":{"a":"2"}}`, grayFor("n1", "a", `"hunter2"`), `{"match":{"zone":["x"]},"values":{"a":"2"}}`,
			grayFor("n1", "a", `"`+strings.Repeat("[", 3000)+`"`), `{"values":` + strings.Repeat("[", 50_000), "\x1b[2J\x00\xff", grayFor("n1", "a", `"`+strings.Repeat("x", 1<<20)+`"`),
		} {
			write(t, c, clientv3.OpPut(grays+"g", bad))
			write(t, c, clientv3.OpPut("/micro/config/b", fmt.Sprint(i)))
			f.until(fmt.Sprintf(`{"a":1,"b":%d}`, i))
			status := s.(source.Reporter).Status()
			if !status.Live || len(status.Refused) != 1 || status.Refused[0].Key != grays+"g" || strings.Contains(status.Refused[0].Err.Error(), "hunter2") || len(status.Refused[0].Err.Error()) > 400 {
				t.Errorf("%.40q: %+v", bad, status)
			}
		}
		write(t, c, clientv3.OpPut(grays+"g", grayFor("n1", "a", `"3"`)), clientv3.OpPut(grays+"odd name\x01", grayFor("n1", "a", `"4"`)))
		f.until(`{"a":3,"b":7}`)
	})

	t.Run("a thousand", func(t *testing.T) {
		clean(t)
		s := at("n1")
		f := follow(t, s)
		want := make([]string, 0, 1000)
		for first := 0; first < 1000; first += 100 {
			var ops []clientv3.Op
			for i := first; i < first+100; i++ {
				ops = append(ops, clientv3.OpPut(fmt.Sprintf("%sg%03d", grays, i), grayFor("n1", fmt.Sprintf("k%03d", i), `"1"`)))
				want = append(want, fmt.Sprintf(`"k%03d":1`, i))
			}
			write(t, c, ops...)
		}
		f.until("{" + strings.Join(want, ",") + "}")
		if n := len(s.(source.Reporter).Status().Grays); n != 1000 {
			t.Errorf("%d are in force", n)
		}
	})

	t.Run("prefixes that have grays below them, or beside them", func(t *testing.T) {
		clean(t)
		write(t, c, clientv3.OpPut("/micro/config/a", "1"), clientv3.OpPut("/micro/other/a", "1"), clientv3.OpPut(grays+"g", grayFor("n1", "a", `"2"`)))
		if got := read(t, at("n1", WithPrefix("/micro/other"))); got != `{"a":1}` {
			t.Errorf("beside: %s", got)
		}
		if got := read(t, at("n1", WithPrefix("/micro/"))); !strings.Contains(got, `"config":{"a":2}`) || !strings.Contains(got, `"rollcall":{"config":{"gray"`) {
			t.Errorf("above: %s", got)
		}
		if got := read(t, at("n1", WithPrefix("/micro/config/a"), StripPrefix(false))); got != `{"micro":{"config":{"a":2}}}` {
			t.Errorf("below: %s", got)
		}
	})
}

// TestGraysThatMayNotBeRead checks that a user who may read the values alone reads them,
// and the grays once that is granted.
func TestGraysThatMayNotBeRead(t *testing.T) {
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "micro", "secret")
	c := e.Client(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	grant := func(prefix string) error {
		_, err := c.RoleGrantPermission(ctx, "values", prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.PermissionType(clientv3.PermRead))
		return err
	}
	if _, err := c.RoleAdd(ctx, "values"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserAdd(ctx, "reader", "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserGrantRole(ctx, "reader", "values"); err != nil {
		t.Fatal(err)
	}
	if err := grant("/micro/config/"); err != nil {
		t.Fatal(err)
	}
	write(t, c, clientv3.OpPut("/micro/config/a", "1"), clientv3.OpPut(grays+"g", grayFor("n1", "a", `"2"`)))
	s := NewSource(WithAddress(e.Addr()), Auth("reader", "secret"), StripPrefix(true), Instance(source.Instance{Node: "n1"}))
	s.(*etcdSource).rightAgain = 50 * time.Millisecond
	if got := read(t, s); got != `{"a":1}` {
		t.Errorf("read %s", got)
	}
	f := follow(t, s)
	f.until(`{"a":1}`)
	write(t, c, clientv3.OpPut("/micro/config/a", "3"))
	f.until(`{"a":3}`)
	if status := s.(source.Reporter).Status(); !status.Live || status.Err != nil || len(status.Refused) != 0 {
		t.Errorf("got %+v", status)
	}
	if err := grant(grays); err != nil {
		t.Fatal(err)
	}
	f.until(`{"a":2}`)
}
