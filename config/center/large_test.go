package center

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// text returns JSON of about so many bytes as people write it: many lines alike.
func text(bytes int, salt string) string {
	var b strings.Builder
	b.WriteString(`{"rules":[`)
	for i := 0; b.Len() < bytes; i++ {
		fmt.Fprintf(&b, `{"name":"rule-%s-%d","host":"10.%d.%d.1","port":%d,"weight":%d,"tags":["a<b","blue"]},`, salt, i, i%200, i%7, 1024+i%3000, i*i%97)
	}
	return b.String()[:b.Len()-1] + "]}"
}

// noise returns JSON of so many bytes that cannot be compressed much.
func noise(bytes int) string {
	random := rand.NewChaCha8([32]byte{1})
	raw := make([]byte, bytes)
	_, _ = random.Read(raw)
	return `"` + base64.StdEncoding.EncodeToString(raw)[:bytes-2] + `"`
}

// TestG9LargeValues writes values up to etcd's limit, with what they were before and after
// in the history, and refuses what is more, with the limit, before anything is written.
func TestG9LargeValues(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	const mib = 1 << 20
	c := open(t, e.Addr(), "large")
	first, second := text(mib, "first"), text(mib+mib/5, "second")
	release(t, c, Put("rules", first))
	release(t, c, Put("rules", second))
	if one, err := c.Get(t.Context(), "rules"); err != nil || one.Value != second {
		t.Errorf("%v: %d bytes", err, len(one.Value))
	}
	all, err := c.History(t.Context(), Page{})
	if err != nil || len(all) != 2 || *all[0].Changes[0].Before != first || *all[0].Changes[0].After != second {
		t.Fatalf("%v: %d releases", err, len(all))
	}
	d, err := c.Rollback(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Release(t.Context(), d); err != nil {
		t.Error(err)
	}
	for what, value := range map[string]string{"2 MiB": text(2*mib, "third"), "1 MiB of noise": noise(mib)} {
		_, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("small", "1"), Put("rules", value)}})
		if err == nil || !strings.Contains(err.Error(), "etcd takes 1572864") || len(err.Error()) > 1000 {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantTree(t, c, Tree{"rules": first})

	// The estimate is no less than what etcd counts: the largest that is planned is taken.
	for _, keys := range []int{1, etcd.MaxTxnOps - 2} {
		c := open(t, e.Addr(), fmt.Sprint("most-", keys))
		draft := func(bytes int) (d Draft) {
			value, each := noise(bytes), (bytes-2)/keys
			for k := range keys {
				d.Edits = append(d.Edits, Put(fmt.Sprintf("k%03d", k), `"`+value[1+k*each:1+(k+1)*each]+`"`))
			}
			return d
		}
		most := 896_000
		for ; most > 800_000; most -= 4_000 {
			if _, err := c.Plan(t.Context(), draft(most)); err == nil {
				break
			} else if !strings.Contains(err.Error(), "etcd takes 1572864") {
				t.Fatal(err)
			}
		}
		release(t, c, draft(most).Edits...)
	}
}
