package center

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestHistoryFoldsToTheTree makes random releases, rollbacks and writes past the
// Center: the history, played from its beginning, is what there is, and each release
// can be looked up and brought back.
func TestHistoryFoldsToTheTree(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	for _, foreign := range []bool{false, true} {
		t.Run(fmt.Sprintf("foreign %v", foreign), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			namespace := fmt.Sprint("random-", foreign)
			c := open(t, e.Addr(), namespace)
			key := func() string { return fmt.Sprintf("%c/%c", 'a'+random.IntN(3), 'a'+random.IntN(3)) }
			all := map[string]Edit{}
			for x := 'a'; x < 'd'; x++ {
				for y := 'a'; y < 'd'; y++ {
					all[fmt.Sprintf("%c/%c", x, y)] = Put(fmt.Sprintf("%c/%c", x, y), "0")
				}
			}
			after := map[int64]Tree{}
			note := func(d Draft) {
				r, err := c.Release(t.Context(), d)
				if errors.Is(err, ErrNoChange) {
					return
				} else if err != nil {
					t.Fatal(err)
				}
				after[r.Number] = tree(t, c)
			}
			var edits []Edit
			for _, edit := range all {
				edits = append(edits, edit)
			}
			note(Draft{Edits: edits})
			for step := range 60 {
				switch n := random.IntN(10); {
				case n == 0:
					number := 1 + random.Int64N(int64(len(after)))
					d, err := c.Rollback(t.Context(), number)
					if err != nil {
						t.Fatal(err)
					}
					note(d)
					if !foreign {
						wantTree(t, c, after[number])
					}
				case n < 3 && foreign:
					past(t, client, "/"+namespace+"/micro/config/"+key(), fmt.Sprintf(`"past %d"`, step))
				case n == 3 && foreign:
					past(t, client, "/"+namespace+"/micro/config/"+key())
				default:
					edits := map[string]Edit{}
					for range 1 + random.IntN(3) {
						k := key()
						if edits[k] = Put(k, fmt.Sprint(step)); random.IntN(4) == 0 {
							edits[k] = Delete(k)
						}
					}
					d := Draft{}
					for _, edit := range edits {
						d.Edits = append(d.Edits, edit)
					}
					note(d)
				}
			}
			folds(t, c)
			if foreign {
				return // what was there between two writes past the Center nobody knows
			}
			for number, want := range after {
				if got, err := c.TreeAt(t.Context(), number); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%v: release %d left %v, want %v", err, number, got, want)
				}
			}
		})
	}
}

// folds plays the history.
func folds(t *testing.T, c *Center) {
	t.Helper()
	releases, err := c.History(t.Context(), Page{})
	if err != nil {
		t.Fatal(err)
	}
	played := Tree{}
	for i := len(releases) - 1; i >= 0; i-- {
		for _, change := range releases[i].Changes {
			if got := played.text(change.Key); !same(got, change.Before) {
				t.Errorf("at revision %d, %q was %s, and the history says %s", releases[i].Revision, change.Key, shown(got), shown(change.Before))
			}
			if delete(played, change.Key); change.After != nil {
				played[change.Key] = *change.After
			}
		}
	}
	if now := tree(t, c); !maps.Equal(played, now) {
		t.Errorf("the history gives %v, and there is %v", played, now)
	}
}
