package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/etcd"
	"github.com/rollcall-go/micro/config/source/snapshot"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
)

// heard is a log that several goroutines write.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

// TestG16ASecret: a secret is open in the service alone. A wrong, a missing and an old
// key: the last good value stays, and key, revision and key id are reported; the service
// starts, and the secret opens 4 s after its key is there. In a whole run with commands,
// a rotation and restarts its text is in no output, log, status, snapshot, and nowhere in
// etcd's data.
func TestG16ASecret(t *testing.T) { // not parallel: it listens to the log of the process
	const opens = 4 * time.Second
	log := new(heard)
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(log), logger.WithLevel(logger.TraceLevel))
	t.Cleanup(func() { logger.DefaultLogger = before })
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	dir := t.TempDir()
	keys, other, disk := filepath.Join(dir, "keys"), filepath.Join(dir, "other"), filepath.Join(dir, "snapshot")
	var outputs strings.Builder
	micro := func(want int, stdin string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), testkit.Micro(t), args...)
		cmd.Env = append(os.Environ(), "MICRO_REGISTRY_ADDRESS="+e.Addr(), "MICRO_REGISTRY=etcd")
		cmd.Stdin, cmd.Dir = strings.NewReader(stdin), dir
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("micro %q: exit code %d, want %d, %v: %s", args, code, want, err, out)
		}
		outputs.Write(out)
		return string(out)
	}
	set := func(key, text, file string) {
		t.Helper()
		micro(0, text+"\n", "config", "secret", "set", key, "--key-file", file)
	}
	begin := func() config.Config {
		t.Helper()
		c, err := config.NewConfig(config.WithReader(secret.NewReader(secret.File(keys))),
			config.WithSource(snapshot.NewSource(etcd.NewSource(etcd.WithAddress(e.Addr()), etcd.StripPrefix(true), etcd.Instance(source.Instance{Service: "shop", Node: "shop-1"})), disk)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	end := func(c config.Config) {
		t.Helper()
		fmt.Fprintf(&outputs, "%v %+v %#v %v %v", c.Get("db"), c.Get("db", "password"), c.Get("db", "password"), config.Status(c), c.Options())
		if l, err := c.Options().Loader.Snapshot(); err != nil {
			t.Error(err)
		} else {
			fmt.Fprintf(&outputs, "%s %v", l.ChangeSet.Data, l)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&outputs, "%v %+v %#v", c, c, c) // which reads what it holds without its locks
	}
	password := func(c config.Config) string { return c.Get("db", "password").String("none") }

	micro(0, "", "config", "secret", "keygen", keys)
	micro(0, "", "config", "secret", "keygen", other)
	micro(0, "", "config", "set", "db/port", "1")
	set("db/password", "Hunter-1", keys)
	c := begin()
	if got := password(c); got != "Hunter-1" {
		t.Errorf("the service reads %q", got)
	}
	set("db/password", "Hunter-2", keys)
	at := time.Now()
	within(t, "another password is read", since(t, at, "the password is another one", func() bool { return password(c) == "Hunter-2" }), shown)

	// Sealed for a key that the service has not.
	set("db/password", "Hunter-3", other)
	refused := func() (all []source.Refused) {
		for _, s := range config.Status(c) {
			all = append(all, s.Refused...)
		}
		return all
	}
	testkit.Eventually(t, patience, "the secret is refused", func() bool { return len(refused()) == 1 })
	now, err := client.Get(t.Context(), "/micro/config/db/password")
	if err != nil {
		t.Fatal(err)
	}
	held, err := secret.File(other).All()
	if err != nil {
		t.Fatal(err)
	}
	if r := refused()[0]; r.Key != "/micro/config/db/password" || r.Revision != now.Kvs[0].ModRevision || !errors.Is(r.Err, secret.ErrNoKey) || !strings.Contains(r.Err.Error(), held[0].ID()) {
		t.Errorf("refused is %+v", r)
	}
	if got := password(c); got != "Hunter-2" {
		t.Errorf("the last good password is %q", got)
	}
	// What it refused can be seen by others.
	testkit.Eventually(t, patience, "the instance says what it refused", func() bool {
		got, err := client.Get(t.Context(), "/micro/rollcall/config/applied/shop/", clientv3.WithPrefix())
		return err == nil && len(got.Kvs) == 1 && strings.Contains(string(got.Kvs[0].Value), held[0].ID())
	})
	end(c)

	// A start without the key: the service has no password, and all else.
	c = begin()
	if got := password(c); got != "none" || c.Get("db", "port").Int(0) != 1 {
		t.Errorf("without its key it reads %q and port %d", got, c.Get("db", "port").Int(0))
	}
	old, err := os.ReadFile(keys)
	more, unread := os.ReadFile(other)
	if err := errors.Join(err, unread, os.WriteFile(keys+".new", append(old, more...), 0o600)); err != nil {
		t.Fatal(err)
	}
	at = time.Now()
	if err := os.Rename(keys+".new", keys); err != nil {
		t.Fatal(err)
	}
	within(t, "its key is there", since(t, at, "the secret opens", func() bool { return password(c) == "Hunter-3" }), opens)

	// A rotation under the running service, and the old keys gone.
	micro(0, "", "config", "secret", "keygen", keys, "--add")
	micro(0, "", "config", "secret", "rotate", "--key-file", keys)
	all, err := secret.File(keys).All()
	if err != nil {
		t.Fatal(err)
	}
	text, err := all[0].Text()
	if err := errors.Join(err, os.WriteFile(keys+".new", []byte(text), 0o600), os.Rename(keys+".new", keys)); err != nil {
		t.Fatal(err)
	}
	end(c)
	e.Stop(t)
	c = begin() // by the snapshot
	if got := password(c); got != "Hunter-3" {
		t.Errorf("by the snapshot and the new key it reads %q", got)
	}
	e.Restart(t)
	// What the first release left needs the key of then.
	micro(0, "", "config", "rollback", "2")
	testkit.Eventually(t, patience, "the secret is refused", func() bool { return len(refused()) == 1 })
	if got := password(c); got != "Hunter-3" {
		t.Errorf("with an old key it reads %q", got)
	}

	for _, args := range []string{"get db/password", "list", "list -o json", "history", "history -o json", "diff 1", "diff 1 -o json", "export", "export --format yaml", "secret list", "secret list -o json --key-file " + keys} {
		micro(0, "", append([]string{"config"}, strings.Fields(args)...)...)
	}
	micro(1, "", "config", "secret", "reveal", "db/password", "--key-file", keys)
	micro(1, "", "config", "secret", "rotate", "--key-file", keys)
	micro(0, "", "doctor")
	end(c)
	e.Stop(t)
	saved := e.Save(t)
	kept, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"outputs": outputs.String(), "the log": log.text.String(), "the snapshot": string(kept)}
	err = filepath.WalkDir(saved, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		places[path] = string(content)
		return err
	})
	if err != nil || len(places) < 4 {
		t.Fatalf("%d places, %v", len(places), err)
	}
	for place, content := range places {
		if i := strings.Index(content, "Hunter"); i >= 0 {
			t.Errorf("the text is in %s: %.200q", place, content[max(0, i-100):])
		}
	}
	if !strings.Contains(log.text.String(), fmt.Sprintf("revision %d", now.Kvs[0].ModRevision)) || !strings.Contains(log.text.String(), held[0].ID()) {
		t.Errorf("the log names neither revision nor key: %s", log.text.String())
	}
}
