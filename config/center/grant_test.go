package center

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	backend "github.com/rollcall-go/micro/registry/etcd"
)

// openAs returns a Center in a namespace, as a user.
func openAs(t *testing.T, e *testkit.Etcd, namespace, user, password string) *Center {
	t.Helper()
	opts := []registry.Option{registry.Addrs(e.Addr()), registry.Timeout(patience), backend.Namespace(namespace)}
	if user != "" {
		opts = append(opts, backend.Auth(user, password))
	}
	r := backend.NewRegistry(opts...)
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryRelease(ctx context.Context, c *Center, key, value string) error {
	_, err := c.Release(ctx, Draft{Who: "test", Edits: []Edit{Put(key, value)}})
	return err
}

// TestGrantsIsolate: on each etcd, one namespace cannot read or write another, who reads
// cannot write, and who has a part operates that part and no other.
func TestGrantsIsolate(t *testing.T) {
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		ctx := t.Context()
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "narrow", "secret")
		root := map[string]*Center{}
		for _, namespace := range []string{"blue", "green"} {
			root[namespace] = openAs(t, e, namespace, testkit.Root, testkit.Root)
			if err := errors.Join(tryRelease(ctx, root[namespace], "db/port", "1"), tryRelease(ctx, root[namespace], "shop/limit", "1"), tryRelease(ctx, root[namespace], "shopping/limit", "1")); err != nil {
				t.Fatal(err)
			}
		}
		grant := func(namespace string, g Grant) *Center {
			t.Helper()
			granted, err := root[namespace].Grant(ctx, g, "secret", false)
			if err != nil || !granted.Made || !granted.Checked {
				t.Fatalf("granted %+v, %v", granted, err)
			}
			return openAs(t, e, namespace, g.User, "secret")
		}
		refused := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v, want a missing right", what, err)
			}
		}
		may := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		read := func(c *Center, key string) error { _, err := c.Get(ctx, key); return err }

		reader := grant("blue", Grant{User: "reader"})
		_, err := reader.Tree(ctx)
		may("a reader reads all", err)
		_, err = reader.History(ctx, Page{})
		may("a reader reads the history", err)
		refused("a reader writes", tryRelease(ctx, reader, "db/port", "2"))

		writer := grant("blue", Grant{User: "writer", Write: true})
		may("a writer writes", tryRelease(ctx, writer, "db/port", "2"))
		for who, user := range map[string]string{"a reader": "reader", "a writer": "writer"} {
			elsewhere := openAs(t, e, "green", user, "secret")
			refused(who+" reads another namespace", read(elsewhere, "db/port"))
			refused(who+" writes in another namespace", tryRelease(ctx, elsewhere, "db/port", "3"))
			_, err := elsewhere.History(ctx, Page{})
			refused(who+" reads the history of another namespace", err)
			none := openAs(t, e, "", user, "secret")
			refused(who+" reads where there is no namespace", read(none, "db/port"))
		}

		part := grant("blue", Grant{User: "part", Path: "shop", Write: true})
		before, err := part.History(ctx, Page{Limit: 1, Under: "shop"})
		if err != nil || len(before) != 1 {
			t.Fatalf("the history of a part is %v, %v", before, err)
		}
		may("who has a part sets a key that is there", tryRelease(ctx, part, "shop/limit", "2"))
		may("who has a part adds a key", tryRelease(ctx, part, "shop/new", "1"))
		_, err = part.List(ctx, "shop")
		may("who has a part lists it", err)
		refused("who has a part reads beside it", read(part, "db/port"))
		refused("who has a part reads what begins alike", read(part, "shopping/limit"))
		refused("who has a part writes beside it", tryRelease(ctx, part, "db/port", "4"))
		refused("who has a part writes what begins alike", tryRelease(ctx, part, "shopping/limit", "4"))
		draft, err := part.RollbackUnder(ctx, before[0].Number, "shop")
		if err != nil {
			t.Errorf("who has a part rolls back: %v", err)
		} else if _, err = part.Release(ctx, draft); err != nil {
			t.Errorf("who has a part rolls back: %v", err)
		}
		if got, err := part.Get(ctx, "shop/limit"); err != nil || got.Value != "1" {
			t.Errorf("rolled back it is %v, %v", got, err)
		}

		// Nobody but root grants.
		_, err = writer.Grant(ctx, Grant{User: "other"}, "secret", false)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "role root") {
			t.Errorf("a writer grants: %v", err)
		}
		_, err = writer.Grants(ctx)
		refused("a writer lists grants", err)

		// Twice is as once; revoked is revoked.
		again, err := root["blue"].Grant(ctx, Grant{User: "part", Path: "shop", Write: true}, "another", false)
		if err != nil || again.Made || again.Changed {
			t.Errorf("granted twice: %+v, %v", again, err)
		}
		may("the password stays", tryRelease(ctx, part, "shop/limit", "5"))
		all, err := root["blue"].Grants(ctx)
		if err != nil || len(all) != 3 || all[0].User != "part" || all[1].User != "reader" || len(all[2].Rights) == 0 {
			t.Errorf("grants: %+v, %v", all, err)
		}
		may("revoke", root["blue"].Revoke(ctx, "part"))
		if err := tryRelease(ctx, part, "shop/limit", "6"); err == nil {
			t.Error("who has lost his grant writes")
		}
		if got, err := root["blue"].Get(ctx, "shop/limit"); err != nil || got.Value != "5" {
			t.Errorf("after that it is %v, %v", got, err)
		}
	})
}
