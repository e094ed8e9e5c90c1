package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const hunter = `"Hunter2"`

func newKey(t testing.TB) *PrivateKey {
	t.Helper()
	key, err := NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func text(t testing.TB, key *PrivateKey) string {
	t.Helper()
	s, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, key *PrivateKey, place, value string) string {
	t.Helper()
	public, err := ParsePublicKey(key.Public().String())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := public.Seal(place, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	key := newKey(t)
	for _, value := range []string{hunter, `{"user":"a","password":"b","port":9007199254740993}`, "null", `""`, strings.Repeat("1", 5000)} {
		sealed := seal(t, key, "db/password", value)
		if !Is(sealed) || KeyID(sealed) != key.ID() || Hide("x "+sealed+" y") != "x secret (key "+key.ID()+") y" {
			t.Errorf("%.80s is not what it should be", sealed)
		}
		if quoted, err := json.Marshal(sealed); err != nil || string(quoted) != `"`+sealed+`"` {
			t.Errorf("as JSON it is %.80s", quoted)
		}
		again, err := ParsePrivateKey(text(t, key))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Open("db/password", sealed); err != nil || string(got) != value {
			t.Errorf("got %.80q, %v", got, err)
		}
		if seal(t, key, "db/password", value) == sealed {
			t.Error("two secrets of one value are alike")
		}
	}
	if len(seal(t, key, "p", `"a"`)) != len(seal(t, key, "p", `"abcdefghij"`)) {
		t.Error("the length tells how long a password is")
	}
	if _, err := key.Public().Seal("p", []byte("no JSON")); err == nil || strings.Contains(err.Error(), "no JSON") {
		t.Error(err)
	}
}

// TestWhatDoesNotOpen: a secret of another key, another place, or changed anywhere.
func TestWhatDoesNotOpen(t *testing.T) {
	key, other := newKey(t), newKey(t)
	sealed := seal(t, key, "db/password", hunter)
	keys := Given(key)
	if _, err := keys.Open("motd", sealed); !errors.Is(err, ErrOpened) || !strings.Contains(err.Error(), key.ID()) {
		t.Errorf("at another path: %v", err)
	}
	if _, err := Given(other).Open("db/password", sealed); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), key.ID()) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := other.Open("db/password", strings.Replace(sealed, key.ID(), other.ID(), 1)); !errors.Is(err, ErrOpened) {
		t.Errorf("under the name of another key: %v", err)
	}
	for i := range len(sealed) {
		changed := []byte(sealed)
		if changed[i] == 'A' {
			changed[i] = 'B'
		} else {
			changed[i] = 'A'
		}
		if got, err := keys.Open("db/password", string(changed)); err == nil {
			t.Fatalf("changed at byte %d it opens: %s", i, got)
		}
		if got, err := keys.Open("db/password", sealed[:i]); err == nil {
			t.Fatalf("cut off at byte %d it opens: %s", i, got)
		}
	}
}

func TestPlace(t *testing.T) {
	for path, want := range map[string]string{
		"db/password":                                       "db/password",
		"micro/config/db/password":                          "db/password",
		"_service/shop/db/password":                         "db/password",
		"_environment/prod/db/password":                     "db/password",
		"_environment/prod/_service/shop/db/password":       "db/password",
		"micro/config/_environment/p/_service/s/db":         "db",
		"micro/config":                                      "micro/config",
		"_service/shop":                                     "_service/shop",
		"a/_service/shop/b":                                 "a/_service/shop/b",
		"_service/shop/_environment/prod/that/is/not/a/lay": "_environment/prod/that/is/not/a/lay",
	} {
		if got := Place(strings.Split(path, "/")...); got != want {
			t.Errorf("%s has the place %s, want %s", path, got, want)
		}
	}
}

func TestKeysDoNotShow(t *testing.T) {
	key := newKey(t)
	private := strings.TrimPrefix(text(t, key), privatePrefix)
	raw, err := key.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %x %d", key, key, key, key, key, key, key),
		fmt.Sprintf("%v %+v %#v %s", *key, *key, key.Public(), key.Public()),
		fmt.Sprintf("%v %+v", Given(key), *Given(key)),
	} {
		if strings.Contains(shown, private) || strings.Contains(shown, fmt.Sprint(raw)) || strings.Contains(shown, fmt.Sprintf("%x", raw)) {
			t.Errorf("a key shows itself: %s", shown)
		}
	}
	for _, wrong := range []string{private, privatePrefix + private[1:], privatePrefix + private + "A", "rollcall-private:2:" + private, privatePrefix, ""} {
		for _, parse := range []func(string) error{
			func(s string) error { _, err := ParsePrivateKey(s); return err },
			func(s string) error { _, err := ParsePrivateKeys("# keys\n\n" + s); return err },
			func(s string) error { _, err := ParsePublicKey(s); return err },
		} {
			if err := parse(wrong); err == nil || strings.Contains(err.Error(), private[5:]) {
				t.Errorf("%.30q: %v", wrong, err)
			}
		}
	}
}

// TestKeyFile: keys are read again when the file has changed, and stay when it is broken.
func TestKeyFile(t *testing.T) {
	before, after := newKey(t), newKey(t)
	path := filepath.Join(t.TempDir(), "keys")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys := File(path)
	if _, err := keys.Open("p", seal(t, before, "p", hunter)); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), before.ID()) {
		t.Errorf("without a file: %v", err)
	}
	t.Setenv(KeyFileVariable, path)
	for _, keys := range []*Keys{keys, Environment()} {
		write(text(t, before))
		opens := func(key *PrivateKey, want bool) {
			t.Helper()
			if _, err := keys.Open("p", seal(t, key, "p", hunter)); (err == nil) != want {
				t.Errorf("it opens: %v, want %v", err, want)
			}
		}
		opens(before, true)
		opens(after, false)
		write("# the new one first\n" + text(t, after) + "\n" + text(t, before) + "\n")
		opens(before, true)
		opens(after, true)
		write("half a fi")
		opens(before, true)
		write(text(t, after))
		opens(before, false)
		opens(after, true)
	}
	t.Setenv(KeyFileVariable, "")
	t.Setenv(KeyVariable, text(t, before))
	if _, err := Environment().Open("p", seal(t, before, "p", hunter)); err != nil {
		t.Error(err)
	}
	t.Setenv(KeyVariable, "")
	if _, err := Environment().Open("p", seal(t, before, "p", hunter)); err == nil || !strings.Contains(err.Error(), KeyFileVariable) {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	key := newKey(f)
	f.Add("db/password", seal(f, key, "db/password", hunter))
	f.Add("", prefix+key.ID()+":")
	f.Fuzz(func(t *testing.T, place, sealed string) {
		got, err := Given(key).Open(place, sealed)
		if (err == nil) != json.Valid(got) {
			t.Errorf("got %q, %v", got, err)
		}
		Hide(sealed)
	})
}

func BenchmarkOpen(b *testing.B) {
	key := newKey(b)
	sealed := seal(b, key, "p", hunter)
	for b.Loop() {
		if _, err := key.Open("p", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
