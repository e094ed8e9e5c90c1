package center

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestExplain asks which key gives a value, with layers, keys below one another and grays.
func TestExplain(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	c := open(t, e.Addr(), "explain")
	release(t, c,
		Put("db", `{"host":"shared","port":1}`),
		Put("_service/shop/db/port", "2"), Put("_service/other/db/port", "9"),
		Put("_environment/prod/db", `{"port":3,"tls":true}`),
		Put("_environment/prod/_service/shop/db/tls", "false"),
		Put("dbx", "1"),
	)
	past(t, client, "/explain/micro/config/db/user", `"u"`) // go-micro v2 would lose db: it is there all the same
	past(t, client, "/explain/micro/config/db/bad", `{`)
	gray := `{"match":{"nodes":["shop-1"]},"values":{"_service/shop/db/port":"7","db":null}}`
	release(t, c, Edit{Kind: KindGray, Key: "try", Value: &gray})
	for _, tt := range []struct {
		path   string
		reader source.Instance
		want   string
	}{
		{"db/port", source.Instance{}, "1 everybody db=1+, [try] everybody db=none"},
		{"db/port", source.Instance{Service: "shop"}, "2 service shop _service/shop/db/port=2+, everybody db=1, [try] service shop _service/shop/db/port=7, [try] everybody db=none"},
		{"db/port", source.Instance{Service: "shop", Environment: "prod"},
			"3 environment prod _environment/prod/db=3+, service shop _service/shop/db/port=2, everybody db=1, [try] service shop _service/shop/db/port=7, [try] everybody db=none"},
		{"db/port", source.Instance{Service: "shop", Node: "shop-1"}, "7 [try] service shop _service/shop/db/port=7+, service shop _service/shop/db/port=2, [try] everybody db=none, everybody db=1"},
		{"db/host", source.Instance{Service: "shop", Node: "shop-1"}, "none [try] everybody db=none+, everybody db=\"shared\""},
		{"db/user", source.Instance{}, `"u" everybody db/user="u"+, [try] everybody db=none`},
		{"db", source.Instance{Environment: "prod"},
			`{"host":"shared","port":3,"tls":true,"user":"u"} environment prod _environment/prod/db={"port":3,"tls":true}+, everybody db/user="u"+, everybody db={"host":"shared","port":1}+, [try] everybody db=none`},
		{"db/nothing", source.Instance{}, "none [try] everybody db=none"},
		{"none", source.Instance{}, "none "},
	} {
		x, err := c.Explain(t.Context(), tt.reader, tt.path)
		if err != nil {
			t.Fatal(err)
		}
		text := func(s *string) string {
			if s == nil {
				return "none"
			}
			return *s
		}
		var given []string
		for _, g := range x.Given {
			one := fmt.Sprintf("%s %s=%s", g.Layer, g.Key, text(g.Value))
			if g.Gray != "" {
				one = "[" + g.Gray + "] " + one
				if g.For != "node shop-1" {
					t.Errorf("the gray is for %q", g.For)
				}
			}
			if g.Counts {
				one += "+"
			}
			if g.Why == "" || g.Revision == 0 {
				t.Errorf("%+v", g)
			}
			given = append(given, one)
		}
		if got := text(x.Value) + " " + strings.Join(given, ", "); got != tt.want {
			t.Errorf("%s for %+v:\n%s\nwant\n%s", tt.path, tt.reader, got, tt.want)
		}
		if bad := strings.Contains(strings.Join(x.Unread, ""), `"db/bad"`); bad != (tt.path == "db") {
			t.Errorf("%s: unread %v", tt.path, x.Unread)
		}
	}
}
