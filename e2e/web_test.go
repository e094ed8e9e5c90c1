package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	microhttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// TestWebExample runs examples/web: one process that is a web service and a gRPC service,
// and a client that calls both by their names.
func TestWebExample(t *testing.T) {
	t.Parallel()
	bin, err := build("../examples/web", "./greeter", "./client")
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--registry=etcd", "--registry_address=" + testkit.StartEtcd(t).Addr()}
	greeter := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "greeter"), flags...))
	greeter.Says(t, "Registering node: greeter-")
	greeter.Says(t, `Registering node: [0-9a-f]{8}-`) // the id of a web service is bare, as in v2
	out, err := exec.Command(filepath.Join(bin, "client"), flags...).CombinedOutput()
	if err != nil || string(out) != "Hello, John!\nHello, Jane!\n" {
		t.Errorf("the client ends with %v and prints %q", err, out)
	}
	stopsQuietly(t, greeter)
}

// TestWebGinExample runs examples/web-gin: a router of gin that is found by name.
func TestWebGinExample(t *testing.T) {
	t.Parallel()
	bin, err := build("../examples/web-gin", ".")
	if err != nil {
		t.Fatal(err)
	}
	etcd := testkit.StartEtcd(t).Addr()
	greeter := testkit.StartProcess(t, exec.Command(filepath.Join(bin, "web-gin"), "--registry=etcd", "--registry_address="+etcd, "--server_address=127.0.0.1:0"))
	greeter.Says(t, `Registering node: [0-9a-f]{8}-`) // the id of a web service is bare, as in v2
	r := fleet.Registry(t, etcd)
	services, err := r.GetService("greeter.gin")
	if err != nil || len(services) != 1 || services[0].Nodes[0].Metadata["protocol"] != "http" {
		t.Errorf("registered are %v, %v", services, err)
	}
	rt := microhttp.NewRoundTripper(client.Registry(r))
	defer fleet.Close(t, rt)
	rsp, err := (&http.Client{Transport: rt, Timeout: 20 * time.Second}).Get("http://greeter.gin/hello/John")
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	if body, err := io.ReadAll(rsp.Body); err != nil || string(body) != `{"greeting":"Hello, John!"}` {
		t.Errorf("got %q, %v", body, err)
	}
	stopsQuietly(t, greeter)
}

// stopsQuietly stops a program, which must neither have warned nor end with an error.
func stopsQuietly(t *testing.T, p *testkit.Process) {
	t.Helper()
	p.Stop(t)
	if strings.Contains(p.Output(), "level=warn") || strings.Contains(p.Output(), "level=error") {
		t.Errorf("the program warns:\n%s", p.Output())
	}
}
