package lint

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/config/secret"
)

func seal(t *testing.T, k *secret.PrivateKey, place, text string) string {
	t.Helper()
	sealed, err := k.Public().Seal(place, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func newKey(t *testing.T) *secret.PrivateKey {
	t.Helper()
	k, err := secret.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// TestSecretsThatDoNotOpen: without a key only the form tells, with one each that is sealed
// for it is opened.
func TestSecretsThatDoNotOpen(t *testing.T) {
	ours, others := newKey(t), newKey(t)
	good := seal(t, ours, "db/password", `"Hunter2"`)
	last := good[len(good)-1:]
	changed := good[:len(good)-8] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, good[len(good)-8:len(good)-1]) + last
	c := Config{
		Values: map[string]string{
			"db/password":             quoted(good),
			"_service/shop/db":        `{"password":` + quoted(good) + `}`,
			"short":                   quoted(good[:len(good)-3]),
			"bare":                    quoted("rollcall-secret:1:"),
			"_service/shop/db/letter": `{"x":[` + quoted(good[:len(good)-5]+"!"+good[len(good)-4:]) + `]}`,
			"changed":                 quoted(changed),
			"moved":                   quoted(good),
			"others":                  quoted(seal(t, others, "another/place", `"Hunter2"`)),
		},
		Grays: map[string]string{
			"g": `{"match":{"percent":1},"values":{"db/password":` + quoted(quoted(good[:60])) + `,"gone":null,"moved":` + quoted(quoted(good)) + `}}`,
		},
	}
	for name, o := range map[string]Options{"without a key": {WithoutV2: true}, "with a key": {WithoutV2: true, Keys: secret.Given(ours)}} {
		t.Run(name, func(t *testing.T) {
			var keys []string
			for _, f := range c.Lint(o) {
				keys = append(keys, strings.TrimSpace(f.Key+" "+f.Path+" "+f.Gray))
				if f.Kind != Secret || strings.Contains(f.String(), "Hunter2") || strings.Contains(f.String(), good[30:40]) || f.Gray != "" != strings.Contains(f.String(), `(in gray "g")`) {
					t.Errorf("got %s %s", f.Kind, f)
				}
			}
			want := "_service/shop/db/letter db/letter/x/0, bare, db/password  g, short"
			if o.Keys != nil {
				want = "_service/shop/db/letter db/letter/x/0, bare, changed, db/password  g, moved, moved  g, short"
			}
			if got := strings.Join(keys, ", "); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestWriting: what is wrong in the value that is there does not keep anybody from changing
// something else in it.
func TestWriting(t *testing.T) {
	bad := `{"a":1,"s":"rollcall-secret:1:cut","in":{"x":1,"x":2}}`
	for value, want := range map[string]string{
		`{"in":{"x":1,"x":2}}`:            `field "in/x": line 1, column 14: the field "x" stands twice in one object: take one of the two out`,
		`{"s":"rollcall-secret:1:cut"}`:   `field "s": the secret is damaged, as one that was cut short: nobody can open it`,
		`"rollcall-secret:1:cut"`:         `the secret is damaged, as one that was cut short: nobody can open it`,
		`{"a":1,"b":[{"a":1},{"a":1}]}`:   "",
		`"text of rollcall-secret:1:cut"`: "",
	} {
		err := CheckWriting("k", value, nil)
		if err == nil != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
	if err := CheckWriting("k", strings.Replace(bad, "1", "2", 1), &bad); err != nil {
		t.Errorf("of what was there: %v", err)
	}
	if err := CheckWriting("k", `{"s":{"y":1,"y":2}}`, &bad); err == nil {
		t.Error("it is somewhere else")
	}
}
