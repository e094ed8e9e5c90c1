package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestWrapperExample runs examples/wrapper: a limit, a timeout and a circuit that opens.
func TestWrapperExample(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	bin, err := build("../examples/wrapper", "./service", "./client")
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--registry=etcd", "--registry_address=" + etcd.Addr()}
	service := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "service"), flags...))
	service.Says(t, "Registering node: greeter-")
	out, err := exec.Command(filepath.Join(bin, "client"), flags...).CombinedOutput()
	want := regexp.MustCompile(`Greeter.Hello Hello, John!
Greeter.Hello 429 too many requests: retry after [0-9.ms]+
Greeter.Sleep 408 "Greeter.Sleep" took longer than 1s
Greeter.Fail 500 the disk is full
Greeter.Fail 500 the disk is full
Greeter.Fail 502 circuit breaker is open: "greeter.Greeter.Fail" failed and is not called for another [0-9.ms]+
$`)
	if err != nil || !want.Match(out) {
		t.Errorf("the client ends with %v and prints\n%s", err, out)
	}
	service.Stop(t)
}

// TestPlainExample runs examples/plain, a client of nothing but gRPC, against examples/proto.
func TestPlainExample(t *testing.T) {
	t.Parallel()
	etcd := testkit.StartEtcd(t)
	bin, err := build("../examples", "./proto/service", "./plain")
	if err != nil {
		t.Fatal(err)
	}
	service := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "service"), "--registry=etcd", "--registry_address="+etcd.Addr()))
	service.Says(t, "Registering node: greeter-")
	out, err := exec.Command(filepath.Join(bin, "plain"), "-etcd="+etcd.Addr()).CombinedOutput()
	if err != nil || string(out) != "Hello, John!\n" {
		t.Errorf("the client ends with %v and prints %q", err, out)
	}
	service.Stop(t)
}
