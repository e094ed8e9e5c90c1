package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/memory"
	"github.com/rollcall-go/micro/config/source/snapshot"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
)

const (
	plain    = "Hunter2${HOME}"
	patience = 20 * time.Second
)

// ring is a key file with the keys in it.
type ring struct {
	t    *testing.T
	path string
}

func newRing(t *testing.T) ring { return ring{t, filepath.Join(t.TempDir(), "keys")} }

func (r ring) hold(keys ...*secret.PrivateKey) {
	r.t.Helper()
	var all []string
	for _, key := range keys {
		text, err := key.Text()
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, text)
	}
	// As a whole: a reader must not see half of it.
	if err := errors.Join(os.WriteFile(r.path+".new", []byte(strings.Join(all, "\n")), 0o600), os.Rename(r.path+".new", r.path)); err != nil {
		r.t.Fatal(err)
	}
}

func key(t *testing.T) *secret.PrivateKey {
	t.Helper()
	k, err := secret.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealed(t *testing.T, k *secret.PrivateKey, place, value string) string {
	t.Helper()
	s, err := k.Public().Seal(place, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s source.Source, text string) {
	t.Helper()
	set := &source.ChangeSet{Data: []byte(text), Format: "json", Timestamp: time.Now()}
	set.Checksum = set.Sum()
	if err := s.Write(set); err != nil {
		t.Fatal(err)
	}
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func logged(t *testing.T) *buffer {
	t.Helper()
	b := new(buffer)
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(b))
	t.Cleanup(func() { logger.DefaultLogger = before })
	return b
}

// TestSecretsOpenInTheService: values have secrets open, at every depth, for Get, Scan,
// Bind and Watch; what is wrong with one harms no other, and no text shows.
func TestSecretsOpenInTheService(t *testing.T) {
	log := logged(t)
	k, lost := key(t), key(t)
	held := newRing(t)
	held.hold(k)
	s := memory.NewSource()
	text := fmt.Sprintf(`{"db":{"host":"h","password":%q,"other":%q,"moved":%q},"list":["a",%q],"whole":%q,"n":1}`,
		sealed(t, k, "db/password", fmt.Sprintf("%q", plain)), sealed(t, lost, "db/other", `"Hunter3"`), sealed(t, k, "db/password", `"Hunter3"`),
		sealed(t, k, "list", `"Hunter3"`), sealed(t, k, "whole", `{"user":"u","big":9007199254740993}`))
	put(t, s, text)
	disk := filepath.Join(t.TempDir(), "snapshot")
	c, err := config.NewConfig(config.WithReader(secret.NewReader(secret.File(held.path))), config.WithSource(snapshot.NewSource(s, disk)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	type database struct{ Host, Password, Other, Moved string }
	bound, err := config.Bind[database](c, "db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bound.Close(); err != nil {
			t.Error(err)
		}
	})
	if got, want := *bound.Get(), (database{"h", plain, "", ""}); got != want {
		t.Errorf("bound %+v, want %+v", got, want)
	}
	for want, got := range map[string]string{
		"h": c.Get("db", "host").String(""), plain: c.Get("db", "password").String(""), "none": c.Get("db", "other").String("none"),
		"[a Hunter3]": fmt.Sprint(c.Get("list").StringSlice(nil)), "u": c.Get("whole", "user").String(""), "9007199254740993": string(c.Get("whole", "big").Bytes()),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	refused := config.Status(c)[0].Refused
	if len(refused) != 2 || refused[0].Key != "db/moved" || refused[1].Key != "db/other" ||
		!errors.Is(refused[0].Err, secret.ErrOpened) || !errors.Is(refused[1].Err, secret.ErrNoKey) || !strings.Contains(refused[1].Err.Error(), lost.ID()) {
		t.Errorf("refused: %v", refused)
	}

	// The key comes: the secret opens, though no source has changed.
	held.hold(lost, k)
	testkit.Eventually(t, patience, "the secret opens once its key is there", func() bool { return bound.Get().Other == "Hunter3" })
	put(t, s, strings.Replace(text, `"n":1`, `"n":2`, 1))
	testkit.Eventually(t, patience, "the change is there", func() bool { return c.Get("n").Int(0) == 2 })

	// A value that cannot be opened keeps the last good one.
	put(t, s, fmt.Sprintf(`{"db":{"password":%q},"n":3}`, sealed(t, key(t), "db/password", `"Hunter4"`)))
	testkit.Eventually(t, patience, "the change is there", func() bool { return c.Get("n").Int(0) == 3 })
	if got := c.Get("db", "password").String(""); got != plain {
		t.Errorf("the password is %q, want the last one that could be opened", got)
	}
	put(t, s, `{"n":4}`)
	testkit.Eventually(t, patience, "the secrets are gone", func() bool {
		return c.Get("db", "password").String("gone") == "gone" && len(config.Status(c)[0].Refused) == 0
	})

	l, err := c.Options().Loader.Snapshot()
	kept, unread := os.ReadFile(disk)
	if err := errors.Join(err, unread); err != nil {
		t.Fatal(err)
	}
	put(t, s, text)
	testkit.Eventually(t, patience, "the secrets are back", func() bool { return c.Get("db", "password").String("") == plain })
	all, err := c.Options().Loader.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%s %s %s %v %+v %#v %#v %v %s", log, kept, l.ChangeSet.Data, c.Get("db"), c.Get("db", "password"), c.Get("db", "password"), bound.Err(), config.Status(c), all.ChangeSet.Data)
	if err := c.Close(); err != nil { // printing reads what it holds without its locks
		t.Fatal(err)
	}
	shown += fmt.Sprintf("%v %+v", c, c)
	if strings.Contains(shown, "Hunter") || !strings.Contains(shown, `key "db/other", revision 0`) {
		t.Errorf("a secret shows itself, or no line names what is refused: %s", shown)
	}
}
