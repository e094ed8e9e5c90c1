package center

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestReleasesOfEveryKind changes a value, a schema and a gray in one release: there is
// one conflict, plan, history and rollback for all.
func TestReleasesOfEveryKind(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := open(t, e.Addr(), "kinds")
	const tenth, fifth = `{"match":{"percent":10},"values":{"a":"2"}}`, `{"match":{"percent":20},"values":{"a":"2"}}`
	put := func(kind Kind, key, value string) Edit { return Edit{Kind: kind, Key: key, Value: &value} }
	release(t, c, Put("a", "1"), put(KindSchema, "a", `{"type":"number"}`), put(KindGray, "a", tenth), put(KindSchema, "", `{}`))
	for key, want := range map[string]string{
		"/kinds/micro/config/a":                   "1",
		"/kinds/micro/rollcall/config/schema/a":   `{"type":"number"}`,
		"/kinds/micro/rollcall/config/schema/":    `{}`,
		"/kinds/micro/rollcall/config/gray/a":     tenth,
		"/kinds/micro/rollcall/config/gray/other": "",
	} {
		answer, err := client.Get(t.Context(), key)
		if err != nil || (answer.Count == 1) != (want != "") || want != "" && string(answer.Kvs[0].Value) != want {
			t.Errorf("%v: %q is %v", err, key, answer.Kvs)
		}
	}
	wantTree(t, c, Tree{"a": "1"})
	one, err := c.GetOf(t.Context(), KindGray, "a")
	if err != nil || one.Kind != KindGray || one.Value != tenth {
		t.Errorf("%v: %+v", err, one)
	}
	all, err := c.ListOf(t.Context(), KindSchema, "")
	if err != nil || len(all) != 2 || all[0].Key != "" || all[1].Key != "a" {
		t.Errorf("%v: %+v", err, all)
	}
	if _, err := c.Release(t.Context(), Draft{Edits: []Edit{put(KindGray, "a", "hello")}}); err == nil || !strings.Contains(err.Error(), `gray "a": the value is not JSON`) {
		t.Error(err)
	}

	release(t, c, put(KindGray, "a", fifth), Put("b", "1"))
	edit := put(KindGray, "a", `{"match":{"percent":30},"values":{"a":"2"}}`)
	edit.Seen = &one
	var conflict *ConflictError
	if _, err := c.Release(t.Context(), Draft{Edits: []Edit{edit}}); !errors.As(err, &conflict) || conflict.Kind != KindGray || conflict.By == nil || conflict.By.Number != 2 {
		t.Errorf("%v: %+v", err, conflict)
	}
	past(t, client, "/kinds/micro/rollcall/config/schema/a", "past")
	wantHistory(t, c, Page{Limit: 1}, `past a:{"type":"number"}>past`)

	differ, err := c.Changes(t.Context(), 1, 0)
	if err != nil || len(differ) != 3 || differ[0].Key != "b" || differ[1].Kind != KindGray || differ[2].Kind != KindSchema || *differ[2].After != "past" {
		t.Errorf("%v: %+v", err, differ)
	}
	if differ, err = c.Changes(t.Context(), 1, 2); err != nil || len(differ) != 2 || *differ[1].Before != tenth || *differ[1].After != fifth {
		t.Errorf("%v: %+v", err, differ)
	}
	d, err := c.Rollback(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if planned, err := c.Plan(t.Context(), d); err != nil || len(planned.Changes) != 3 {
		t.Errorf("%v: %+v", err, planned)
	}
	if _, err := c.Release(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	wantTree(t, c, Tree{"a": "1"})
	if differ, err = c.Changes(t.Context(), 1, 0); err != nil || len(differ) != 0 {
		t.Errorf("%v: %+v", err, differ)
	}
}

// TestChecked asks a check before a release is made, and again if what it read changed.
func TestChecked(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	refused := errors.New("no")
	var verdict func(context.Context, *Preview) error
	c := open(t, e.Addr(), "checked", Checked(func(ctx context.Context, p *Preview) error { return verdict(ctx, p) }))
	verdict = func(context.Context, *Preview) error { return refused }
	for _, f := range []func(context.Context, Draft) (Release, error){c.Plan, c.Release} {
		if _, err := f(t.Context(), Draft{Edits: []Edit{Put("a/x", "1")}}); !errors.Is(err, refused) {
			t.Error(err)
		}
	}
	wantTree(t, c, Tree{})
	past(t, client, "/checked/micro/config/a/y", "1")
	var seen []Tree
	verdict = func(ctx context.Context, p *Preview) error {
		there, err := p.List(ctx, KindValue, "a")
		if err != nil {
			return err
		}
		seen = append(seen, there)
		if one, err := p.Get(ctx, KindValue, "a/x"); err != nil || *one != "1" || len(p.Changes()) != 1 || p.Restores() != 0 {
			t.Errorf("%v: %v, %+v", err, one, p.Changes())
		}
		if none, err := p.Get(ctx, KindSchema, "a"); err != nil || (none == nil) != (len(seen) < 3) {
			t.Errorf("%v: %v", err, none)
		}
		switch len(seen) {
		case 1:
			past(t, client, "/checked/micro/config/a/y", "2")
		case 2:
			past(t, client, "/checked/micro/rollcall/config/schema/a", "{}")
		}
		return nil
	}
	release(t, c, Put("a/x", "1"))
	want := []Tree{{"a/x": "1", "a/y": "1"}, {"a/x": "1", "a/y": "2"}, {"a/x": "1", "a/y": "2"}}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("checked %v", seen)
	}
}
