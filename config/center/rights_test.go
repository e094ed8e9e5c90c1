package center

import (
	"errors"
	"io"
	"io/fs"
	"reflect"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
)

// TestRightsOnASubtree releases as a user who may use one subtree, and the records.
func TestRightsOnASubtree(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	direct := open(t, e.Addr(), "")
	release(t, direct, Put("teams/other", "1"), Put("teams/a/old", "1"))
	e.EnableAuth(t, "root-user", "secret")
	e.AddUser(t, "a", "secret",
		testkit.Right{Prefix: "/micro/config/teams/a/", Read: true, Write: true},
		testkit.Right{Prefix: "/micro/rollcall/config/release/", Read: true, Write: true})
	r := backend.NewRegistry(registry.Addrs(e.Addr()), registry.Timeout(patience), backend.Auth("a", "secret"))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(r, Keep(3))
	if err != nil {
		t.Fatal(err)
	}

	planned, err := c.Plan(t.Context(), Draft{Edits: []Edit{Put("teams/a/x", "1")}})
	if err != nil || !reflect.DeepEqual(planned.Unseen, []string{"teams", "teams/a"}) || !planned.Unjudged {
		t.Errorf("%v: %+v", err, planned)
	}
	release(t, c, Put("teams/a/x", "1"), Put("teams/a/y/z", "2"))
	release(t, c, Put("teams/a/x", "2"), Delete("teams/a/old"))
	for _, edit := range []Edit{Put("teams/b", "1"), Put("teams/a", "1"), Delete("teams/other"), {Kind: KindSchema, Key: "teams/a", Value: new("{}")}} {
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("teams/a/x", "3"), edit}}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%+v: %v", edit, err)
		}
	}
	if all, err := c.History(t.Context(), Page{Under: "teams/a"}); err != nil || len(all) != 3 || len(all[2].Changes) != 1 {
		t.Errorf("%v: %+v", err, all)
	}
	if _, err := c.History(t.Context(), Page{}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	d, err := c.RollbackUnder(t.Context(), 2, "teams/a")
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.Release(t.Context(), d)
	if err != nil || back.Restores != 2 || len(back.Changes) != 2 {
		t.Errorf("%v: %+v", err, back)
	}
	one, err := c.Get(t.Context(), "teams/a/x")
	if err != nil || one.Value != "1" {
		t.Errorf("%v: %+v", err, one)
	}
	if all, err := c.Entries(t.Context(), "teams/a/x", "teams/a/no"); err != nil || len(all) != 1 || all[0] != one {
		t.Errorf("%v: %+v", err, all)
	}
}

// TestSchemasJudgeASubtree releases as a user who may read the schemas, and the values of
// one subtree alone.
func TestSchemasJudgeASubtree(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	direct := open(t, e.Addr(), "")
	release(t, direct, schemaAt("teams/a", `{"properties":{"x":{"maximum":1}},"required":["y"]}`), Put("teams/a/y", "1"), Put("_service/s/teams/a/x", "1"))
	e.EnableAuth(t, "root-user", "secret")
	e.AddUser(t, "a", "secret",
		testkit.Right{Prefix: "/micro/config/teams/a/", Read: true, Write: true},
		testkit.Right{Prefix: "/micro/rollcall/config/schema/", Read: true},
		testkit.Right{Prefix: "/micro/rollcall/config/release/", Read: true, Write: true})
	r := backend.NewRegistry(registry.Addrs(e.Addr()), registry.Timeout(patience), backend.Auth("a", "secret"))
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	if r := release(t, c, Put("teams/a/x", "1")); r.Unjudged {
		t.Errorf("got %+v", r)
	}
	wantRefused(t, c, `key "teams/a/x": maximum: 2 is more than 1 (the schema is that of "teams/a")`, Put("teams/a/x", "2"))
}
