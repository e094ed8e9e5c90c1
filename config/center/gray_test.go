package center

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func percent(n int) *int { return &n }

// val is a value of a gray.
func val(s string) *string { return &s }

// carryOut releases a draft of a method of c.
func carryOut(t *testing.T, c *Center) func(Draft, error) Release {
	return func(d Draft, err error) Release {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d.Who = "ada"
		r, err := c.Release(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func TestGrays(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)

	t.Run("from the first node to all", func(t *testing.T) {
		c := open(t, e.Addr(), "life")
		do := carryOut(t, c)
		release(t, c, Put("db/port", "1"), Put("old", "true"), Put("rest", "1"))
		g := Gray{Name: "new-port", Who: "ada", Comment: "try it", Match: Match{Nodes: []string{"shop-1"}}, Values: map[string]*string{"db/port": val("2"), "old": nil, "new": val(`"x"`)}}
		do(c.SetGray(t.Context(), g))
		wantTree(t, c, Tree{"db/port": "1", "old": "true", "rest": "1"})
		got, err := c.Gray(t.Context(), "new-port")
		if err != nil || got.Who != "ada" || got.Comment != "try it" || got.When.IsZero() || !reflect.DeepEqual(got.Match, g.Match) || !reflect.DeepEqual(got.Values, g.Values) ||
			!reflect.DeepEqual(got.Base, map[string]string{"db/port": "1", "old": "true"}) || got.Revision == 0 {
			t.Errorf("%v: %+v", err, got)
		}
		// The same once more is no release; more nodes are.
		d, err := c.SetGray(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Release(t.Context(), d); !errors.Is(err, ErrNoChange) {
			t.Error(err)
		}
		g.Match = Match{Services: []string{"shop"}, Percent: percent(30)}
		do(c.SetGray(t.Context(), g))
		if all, err := c.Grays(t.Context()); err != nil || len(all) != 1 || *all[0].Match.Percent != 30 {
			t.Errorf("%v: %+v", err, all)
		}
		promoted := do(c.Promote(t.Context(), "new-port", false))
		if len(promoted.Changes) != 4 || promoted.Changes[3].Kind != KindGray || promoted.Comment != "promote gray new-port" {
			t.Errorf("got %+v", promoted)
		}
		wantTree(t, c, Tree{"db/port": "2", "new": `"x"`, "rest": "1"})
		if all, err := c.Grays(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v: %+v", err, all)
		}
		// Back to before, where the gray is again and can be promoted again.
		do(c.Rollback(t.Context(), promoted.Number-1))
		wantTree(t, c, Tree{"db/port": "1", "old": "true", "rest": "1"})
		do(c.Promote(t.Context(), "new-port", false))
		wantTree(t, c, Tree{"db/port": "2", "new": `"x"`, "rest": "1"})
		if releases, err := c.History(t.Context(), Page{}); err != nil || len(releases) != 6 {
			t.Errorf("%v: %d releases", err, len(releases))
		}
	})

	t.Run("given up", func(t *testing.T) {
		c := open(t, e.Addr(), "abort")
		do := carryOut(t, c)
		release(t, c, Put("a", "1"))
		do(c.SetGray(t.Context(), Gray{Name: "g", Match: Match{Percent: percent(10)}, Values: map[string]*string{"a": val("2")}}))
		aborted := do(c.Abort(t.Context(), "g"))
		wantTree(t, c, Tree{"a": "1"})
		if _, err := c.Gray(t.Context(), "g"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		do(c.Rollback(t.Context(), aborted.Number-1))
		if g, err := c.Gray(t.Context(), "g"); err != nil || *g.Values["a"] != "2" {
			t.Errorf("%v: %+v", err, g)
		}
		for _, f := range []func() (Draft, error){
			func() (Draft, error) { return c.Abort(t.Context(), "none") }, func() (Draft, error) { return c.Promote(t.Context(), "none", true) },
		} {
			if _, err := f(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `gray "none"`) {
				t.Error(err)
			}
		}
	})

	t.Run("the values changed meanwhile", func(t *testing.T) {
		c := open(t, e.Addr(), "conflict")
		do := carryOut(t, c)
		release(t, c, Put("a", "1"), Put("b", "1"), Put("c", "1"))
		set := func(match Match, values map[string]*string) {
			do(c.SetGray(t.Context(), Gray{Name: "g", Match: match, Values: values}))
		}
		set(Match{Percent: percent(10)}, map[string]*string{"a": val("2"), "b": val("2"), "c": val("2")})
		theirs := release(t, c, Put("a", "9"), Put("b", "2"))
		past(t, client, "/conflict/micro/config/c")
		// To change whom it is for is not to have looked at the values.
		set(Match{Percent: percent(20)}, map[string]*string{"a": val("2"), "b": val("2"), "c": val("2")})
		_, err := c.Promote(t.Context(), "g", false)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || conflict.Key != "a" || *conflict.Ours != "2" || *conflict.Theirs != "9" || conflict.Seen.Value != "1" || conflict.By == nil || conflict.By.Number != theirs.Number {
			t.Errorf("%v: %+v", err, conflict)
		}
		if err == nil || !strings.Contains(err.Error(), `key "c" was changed meanwhile: there is no value now, and yours is 2`) || strings.Contains(err.Error(), `key "b"`) {
			t.Errorf("got %v", err)
		}
		d, err := c.Promote(t.Context(), "g", true)
		if err != nil {
			t.Fatal(err)
		}
		release(t, c, Put("a", "10")) // between looking and releasing
		if _, err := c.Release(t.Context(), d); !errors.As(err, &conflict) || *conflict.Theirs != "10" {
			t.Errorf("got %v", err)
		}
		wantTree(t, c, Tree{"a": "10", "b": "2"})
		// To give a key its value anew is to have looked.
		set(Match{Percent: percent(20)}, map[string]*string{"a": val("3")})
		do(c.Promote(t.Context(), "g", false))
		wantTree(t, c, Tree{"a": "3", "b": "2"})
	})

	t.Run("what cannot be one", func(t *testing.T) {
		c := open(t, e.Addr(), "bad")
		do := carryOut(t, c)
		release(t, c, Put("a", "1"), Put("x/y", "1"))
		do(c.SetGray(t.Context(), Gray{Name: "other", Match: Match{Nodes: []string{"n"}}, Values: map[string]*string{"taken": val("1")}}))
		ten := Match{Percent: percent(10)}
		many := make(map[string]*string)
		for i := range 200 {
			many[fmt.Sprint("k", i)] = val("1")
		}
		for want, g := range map[string]Gray{
			"150 percent: give 0 to 100":               {Name: "g", Match: Match{Percent: percent(150)}, Values: map[string]*string{"a": val("2")}},
			"no condition":                             {Name: "g", Values: map[string]*string{"a": val("2")}},
			"no values":                                {Name: "g", Match: ten},
			"cannot be called":                         {Name: "g/h", Match: ten, Values: map[string]*string{"a": val("2")}},
			"is not JSON":                              {Name: "g", Match: ten, Values: map[string]*string{"a": val("hello")}},
			`has "//"`:                                 {Name: "g", Match: ten, Values: map[string]*string{"a//b": val("2")}},
			`the key "a" has a value`:                  {Name: "g", Match: ten, Values: map[string]*string{"a/b": val("2")}},
			`there are keys below it, such as "x/y"`:   {Name: "g", Match: ten, Values: map[string]*string{"x": val("2")}},
			`key "taken": the gray "other" has it too`: {Name: "g", Match: ten, Values: map[string]*string{"a": val("1"), "taken": val("2")}},
			"make several releases of it":              {Name: "g", Match: ten, Values: many},
			`"hosts" of its match is empty`:            {Name: "g", Match: Match{Hosts: []string{""}}, Values: map[string]*string{"a": val("2")}},
			"character, or one that cannot be seen":    {Name: "g", Match: ten, Values: map[string]*string{"a\x1b[2J": val("2")}},
			`cannot be called "\x1b[2J"`:               {Name: "\x1b[2J", Match: ten, Values: map[string]*string{"a": val("2")}},
			"its values could not be promoted":         {Name: "g", Match: ten, Values: map[string]*string{"a": val("{")}},
		} {
			d, err := c.SetGray(t.Context(), g)
			if err == nil {
				_, err = c.Release(t.Context(), d)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", want, err)
			}
		}
		// A key that makes way is no key that is in the way.
		do(c.SetGray(t.Context(), Gray{Name: "g", Match: ten, Values: map[string]*string{"a": nil, "a/b": val("2")}}))
		do(c.Promote(t.Context(), "g", false))
		wantTree(t, c, Tree{"a/b": "2", "x/y": "1"})
	})

	t.Run("what was written past it", func(t *testing.T) {
		c := open(t, e.Addr(), "past")
		do := carryOut(t, c)
		release(t, c, Put("a", "1"))
		past(t, client, "/past/micro/rollcall/config/gray/hand", `{"match":{"nodes":["n"]},"values":{"a":"2"}}`)
		past(t, client, "/past/micro/rollcall/config/gray/broken", "hunter2")
		all, err := c.Grays(t.Context())
		if err != nil || len(all) != 2 || all[0].Name != "broken" || all[0].Unread == "" || strings.Contains(all[0].Unread, "hunter2") || all[1].Unread != "" {
			t.Errorf("%v: %+v", err, all)
		}
		// It says nothing of what it was made from.
		var conflict *ConflictError
		if _, err := c.Promote(t.Context(), "hand", false); !errors.As(err, &conflict) {
			t.Errorf("got %v", err)
		}
		do(c.Promote(t.Context(), "hand", true))
		wantTree(t, c, Tree{"a": "2"})
		if _, err := c.Promote(t.Context(), "broken", true); err == nil || !strings.Contains(err.Error(), "abort it, or set it anew") {
			t.Error(err)
		}
		do(c.SetGray(t.Context(), Gray{Name: "broken", Match: Match{Percent: percent(1)}, Values: map[string]*string{"a": val("3")}}))
		do(c.Abort(t.Context(), "broken"))
	})

	t.Run("two of one key at once", func(t *testing.T) {
		const editors = 6
		var running sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for i := range editors {
			c := open(t, e.Addr(), "race")
			running.Go(func() {
				d, err := c.SetGray(t.Context(), Gray{Name: fmt.Sprint("g", i), Match: Match{Percent: percent(10)}, Values: map[string]*string{"a": val(fmt.Sprint(i))}})
				if err == nil {
					_, err = c.Release(t.Context(), d)
				}
				if err != nil && !strings.Contains(err.Error(), "has it too") {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				}
			})
		}
		running.Wait()
		if made != 1 {
			t.Errorf("%d of %d were made", made, editors)
		}
	})
}
