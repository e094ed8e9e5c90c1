package center

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestManyNewKeysAtOnce releases as many keys as a transaction holds, in one directory
// and in many, while somebody puts keys above and below them.
func TestManyNewKeysAtOnce(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	for name, key := range map[string]func(int) string{
		"top":  func(i int) string { return fmt.Sprintf("k%03d", i) },
		"deep": func(i int) string { return fmt.Sprintf("a/b/c/d/k%03d", i) },
		"wide": func(i int) string { return fmt.Sprintf("d%03d/k", i) },
	} {
		for what, planted := range map[string]string{"nothing": "", "above": "a", "below": key(7) + "/x"} {
			t.Run(name+" "+what, func(t *testing.T) {
				var edits []Edit
				for i := range etcd.MaxTxnOps - 2 {
					edits = append(edits, Put(key(i), "1"))
				}
				if name == "wide" && what == "above" {
					planted = "d007"
				}
				checks := 0
				namespace := name + "-" + what
				c := open(t, e.Addr(), namespace, Checked(func(context.Context, *Preview) error {
					if checks++; checks == 1 && planted != "" {
						past(t, client, "/"+namespace+"/micro/config/"+planted, "1")
					}
					return nil
				}))
				_, err := c.Release(t.Context(), Draft{Edits: edits})
				clash := planted != "" && (name != "top" || what != "above")
				if (err != nil) != clash || err != nil && !strings.Contains(err.Error(), "would lose") {
					t.Errorf("asked %d times: %v", checks, err)
				}
			})
		}
	}
}

// TestCommonPath: what is guarded at once lies behind the common path.
func TestCommonPath(t *testing.T) {
	for want, keys := range map[string][]string{
		"": {"a", "b/c"}, "a/": {"a/b", "a/c/d"}, "a/b/": {"a/b/c", "a/b/d"}, "ab/": {"ab/c"},
	} {
		if got := commonPath(keys); got != want {
			t.Errorf("of %q it is %q, want %q", keys, got, want)
		}
	}
	if got := commonPath([]string{"aa/x", "ab/x"}); got != "" {
		t.Errorf("a part of a name is taken: %q", got)
	}
}

// filled returns a Center with 10,000 keys.
func filled(b *testing.B) *Center {
	e := testkit.StartEtcd(b)
	client := e.Client(b)
	for i := range 10_000 {
		if _, err := client.Put(b.Context(), fmt.Sprintf("/micro/config/s%03d/k%05d", i/100, i), `{"host":"10.0.0.1","port":3306}`); err != nil {
			b.Fatal(err)
		}
	}
	return open(b, e.Addr(), "")
}

func BenchmarkReleaseAmong10000Keys(b *testing.B) {
	c := filled(b)
	for b.Loop() {
		if _, err := c.Release(b.Context(), Draft{Who: "ada", Edits: []Edit{Put("s007/k00700", fmt.Sprint(rand.Uint64()))}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReleaseThatASchemaJudgesAmong10000Keys: of one part, and of everything.
func BenchmarkReleaseThatASchemaJudgesAmong10000Keys(b *testing.B) {
	for name, key := range map[string]string{"part": "s007", "all": ""} {
		b.Run(name, func(b *testing.B) {
			c := filled(b)
			judges := schemaAt(key, `{"properties":{"s007":{"type":"object"}},"additionalProperties":{"type":"object"}}`)
			if _, err := c.Release(b.Context(), Draft{Who: "ada", Edits: []Edit{judges}}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := c.Release(b.Context(), Draft{Who: "ada", Edits: []Edit{Put("s007/k00700", fmt.Sprintf(`{"port":%d}`, rand.Uint32()))}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHistoryOf500ReleasesAmong10000Keys(b *testing.B) {
	c := filled(b)
	for i := range 500 {
		if _, err := c.Release(b.Context(), Draft{Who: "ada", Edits: []Edit{Put(fmt.Sprintf("s007/k%05d", 700+i%100), fmt.Sprint(rand.Uint64()))}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if all, err := c.History(b.Context(), Page{Limit: 20}); err != nil || len(all) != 20 {
			b.Fatal(err, len(all))
		}
	}
}
