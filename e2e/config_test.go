package e2e

import (
	"os/exec"
	"path/filepath"
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
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
