package center

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/schema"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
)

type first struct {
	Port int `json:"port" schema:"minimum=1"`
}

type second struct {
	Port int    `json:"port" schema:"minimum=1"`
	Host string `json:"host"`
}

func TestPublishedSchemas(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	direct := open(t, e.Addr(), "")
	publish := func(f func(Publisher) error, version string) error { return f(Publisher{"shop", version}) }
	older := func(by Publisher) error { return PublishSchema[first](t.Context(), direct, "db", by) }
	newer := func(by Publisher) error { return PublishSchema[second](t.Context(), direct, "db", by) }
	wantVersion := func(want string, releases int) {
		t.Helper()
		one, err := direct.GetOf(t.Context(), KindSchema, "db")
		if err != nil {
			t.Fatal(err)
		}
		if by, ok := PublishedBy(one.Value); !ok || by != (Publisher{"shop", want}) {
			t.Errorf("published by %+v, want version %q", by, want)
		}
		if all, err := direct.History(t.Context(), Page{}); err != nil || len(all) != releases {
			t.Errorf("%v: there are %d releases, want %d", err, len(all), releases)
		}
	}

	// All instances of a version start at once: one of them publishes.
	errs := make(chan error)
	for range 8 {
		go func() { errs <- publish(older, "1.9.0") }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wantVersion("1.9.0", 1)
	wantRefused(t, direct, `key "db": "db/port": minimum: 0 is less than 1 (the schema is that of "db")`, Put("db", `{"port":0}`))
	for _, err := range []error{publish(newer, "1.10.0"), publish(older, "1.9.0"), publish(newer, "1.10.0"), publish(older, "1.10.0-rc.1")} {
		if err != nil {
			t.Error(err)
		}
	}
	wantVersion("1.10.0", 2)
	for _, version := range []string{"1.10.0", "latest"} {
		if err := publish(older, version); !errors.Is(err, ErrUnpublished) || !strings.Contains(err.Error(), "not known whether version") {
			t.Errorf("version %s: %v", version, err)
		}
	}
	if err := older(Publisher{"cart", "9"}); !errors.Is(err, ErrUnpublished) || !strings.Contains(err.Error(), `publish below _service/cart/`) {
		t.Error(err)
	}
	release(t, direct, schemaAt("own", `{}`), Put("wrong", `{"port":0}`))
	if err := PublishSchema[first](t.Context(), direct, "own", Publisher{"shop", "1"}); !errors.Is(err, ErrUnpublished) || !strings.Contains(err.Error(), "an operator set it") {
		t.Error(err)
	}
	var refused *SchemaError
	if err := PublishSchema[first](t.Context(), direct, "wrong", Publisher{"shop", "1"}); !errors.As(err, &refused) {
		t.Error(err)
	}
	if err := PublishSchema[chan int](t.Context(), direct, "no", Publisher{"shop", "1"}); err == nil || !strings.Contains(err.Error(), `publish the schema of "no": infer the schema of chan int`) {
		t.Error(err)
	}
	if err := PublishSchema[first](t.Context(), direct, "no", Publisher{}); err == nil || !strings.Contains(err.Error(), "has no name") {
		t.Error(err)
	}
	if err := PublishSchema[first](t.Context(), direct, "closed", Publisher{"shop", "1"}, schema.Closed()); err != nil {
		t.Error(err)
	}
	wantRefused(t, direct, `key "closed": "closed/x": additionalProperties: the schema has no such field (the schema is that of "closed")`, Put("closed", `{"x":1}`))

	e.EnableAuth(t, "root-user", "secret")
	e.AddUser(t, "shop", "secret", testkit.Right{Prefix: "/micro/config/", Read: true})
	r := backend.NewRegistry(registry.Addrs(e.Addr()), registry.Timeout(patience), backend.Auth("shop", "secret"))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := PublishSchema[first](t.Context(), c, "db", Publisher{"shop", "2"}); !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

func TestCompareVersions(t *testing.T) {
	order := []string{"0.1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "v1.0.0+build", "1.0.1", "1.9.0", "1.10", "2"}
	for i, a := range order {
		for j, b := range order {
			if n, ok := compareVersions(a, b); !ok || (n < 0) != (i < j) || (n > 0) != (i > j) {
				t.Errorf("%s and %s: %d, %v", a, b, n, ok)
			}
		}
	}
	for _, bad := range []string{"", "latest", "1.x", "-1", "1..2"} {
		if n, ok := compareVersions("1", bad); ok {
			t.Errorf("%q is compared: %d", bad, n)
		}
	}
}
