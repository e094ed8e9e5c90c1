package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestConfigExample runs examples/config while its keys change.
func TestConfigExample(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	client := etcd.Client(t)
	put := func(key, value string) {
		t.Helper()
		if _, err := client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := build(".", "../examples/config")
	if err != nil {
		t.Fatal(err)
	}
	put("/micro/config/greeting", `{"text":"Good day"}`)
	cmd := exec.Command(filepath.Join(dir, "config"), "--registry=etcd", "--registry_address="+etcd.Addr())
	cmd.Env = append(cmd.Environ(), "ENVIRONMENT=prod")
	p := testkit.StartProcess(t, cmd)
	p.Says(t, "Server .* Listening|Listening on")
	for _, step := range []struct{ key, value, says string }{
		{"/micro/config/greeting", `{"text":"Good evening"}`, `the greeting is "Good evening"`},
		{"/micro/config/_service/greeter/greeting/text", `"Ahoy"`, `the greeting is "Ahoy"`},
		{"/micro/config/_environment/prod/greeting", `{"text":""}`, "A value is refused .* a greeting needs a text"},
		{"/micro/config/_environment/prod/greeting", `{"text":"Good night"}`, `the greeting is "Good night"`},
		{"/micro/config/greeting", `{"text":`, `A value cannot be read .* key "/micro/config/greeting", revision \d+: line 1, column 8`},
	} {
		put(step.key, step.value)
		p.Says(t, step.says)
	}

	// Operated: a release, one that the service's own schema refuses, and a rollback.
	micro := func(args ...string) (string, error) {
		t.Helper()
		args = append([]string{"config", args[0], "--registry_address=" + etcd.Addr()}, args[1:]...)
		out, err := exec.CommandContext(t.Context(), testkit.Micro(t), args...).CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := micro(args...)
		if err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
		return out
	}
	put("/micro/config/greeting", `{"text":"Good day"}`) // else the service would be named as one that refuses it
	const key = "_environment/prod/greeting"
	number := regexp.MustCompile(`release (\d+)`).FindStringSubmatch(must("set", key, `{"text":"Released"}`, "--wait"))
	p.Says(t, `the greeting is "Released"`)
	must("set", key, `{"text":"Regretted"}`)
	p.Says(t, `the greeting is "Regretted"`)
	if out, err := micro("set", key, `{"text":5}`); err == nil || !strings.Contains(out, "schema") {
		t.Errorf("what the service refuses is released: %v: %s", err, out)
	}
	if len(number) != 2 {
		t.Fatal("no release says its number")
	}
	put("/micro/config/"+key, `{"text":"Slipped in"}`)
	p.Says(t, `the greeting is "Slipped in"`)
	must("rollback", number[1], key, "--wait")
	testkit.Eventually(t, patience, "the greeting is the former one", func() bool {
		all := greetings(p)
		return len(all) > 0 && all[len(all)-1] == "Released"
	})
	if out := must("history"); !strings.Contains(out, "FOREIGN") {
		t.Errorf("what was written past the history is not in it: %s", out)
	}
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
