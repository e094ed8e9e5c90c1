package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestProtoExample runs examples/proto: generated code on both ends.
func TestProtoExample(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	bin, err := build("../examples/proto", "./service", "./client")
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--registry=etcd", "--registry_address=" + etcd.Addr()}
	service := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "service"), flags...))
	service.Says(t, "Registering node: greeter-")
	out, err := exec.Command(filepath.Join(bin, "client"), flags...).CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "Hello, John!\nWelcome, Ann!\nWelcome, Bob!\n") {
		t.Errorf("the client ends with %v and prints %q", err, out)
	}
	service.Stop(t)
}
