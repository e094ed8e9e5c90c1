package cmd

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// secured starts an etcd that wants TLS, a certificate and a login, and returns it
// with the flags that satisfy it.
func secured(t *testing.T) (e *testkit.Etcd, flags map[string]string) {
	t.Helper()
	ca := testkit.NewCA(t)
	e = testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	e.EnableAuth(t, "user", "hunter2")
	own := ca.Client(t, "client")
	return e, map[string]string{
		"registry": "etcd", "registry_address": e.Addr() + ",", "registry_user": "user", "registry_password": "hunter2",
		"registry_tls_ca": ca.File, "registry_tls_cert": own.CertFile, "registry_tls_key": own.KeyFile,
	}
}

// reachable registers a service in the program's registry.
func reachable(t *testing.T, p *program) error {
	t.Helper()
	defer func() {
		if err := p.registry.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}()
	return p.registry.Register(&registry.Service{Name: "svc", Version: "1", Nodes: []*registry.Node{{Id: "svc-1", Address: "127.0.0.1:1"}}})
}

func TestAServiceIsLetInByFlagsAndVariables(t *testing.T) {
	_, flags := secured(t)
	for _, by := range []string{"flag", "variable"} {
		p := newProgram()
		var args []string
		for name, value := range flags {
			if by == "variable" {
				t.Setenv("MICRO_"+strings.ToUpper(name), value+"\r\n")
			} else {
				args = append(args, "--"+name, value)
			}
		}
		if err := p.run(t, args...); err != nil {
			t.Fatalf("%s: %v, wrote %q", by, err, p.stderr)
		}
		if err := reachable(t, p); err != nil {
			t.Errorf("%s: %v", by, err)
		}
	}
}

// TestCredentialsForTheRegistryOfTheCode gives what the code does not have or has
// wrongly.
func TestCredentialsForTheRegistryOfTheCode(t *testing.T) {
	e, flags := secured(t)
	p := newProgram()
	p.registry = etcd.NewRegistry(addrs(e.Addr()), registry.Timeout(5*time.Second), etcd.Auth("user", "guess"),
		etcd.TLSFiles("", flags["registry_tls_cert"], flags["registry_tls_key"]))
	t.Setenv("MICRO_REGISTRY_PASSWORD", "hunter2")
	if err := p.run(t, "--registry_tls_ca="+flags["registry_tls_ca"]); err != nil {
		t.Fatalf("%v, wrote %q", err, p.stderr)
	}
	if err := reachable(t, p); err != nil {
		t.Error(err)
	}
}

func TestTheBrokerHearsOfTheRegistry(t *testing.T) {
	p := newProgram()
	b := broker.NewBroker()
	p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Broker(&b))
	if err := p.run(t, "--registry=etcd"); err != nil {
		t.Fatal(err)
	}
	if got := b.Options().Registry; got != p.registry || got.String() != "etcd" {
		t.Errorf("the broker has %v", got)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "hunter2"
	t.Setenv("MICRO_REGISTRY_PASSWORD", secret)
	t.Setenv("MICRO_REGISTRY_USER", "user")
	for _, args := range []string{
		"--help", "--registry=nope", "--registry_address=a:b:c", "--nope", "serve", "--registry=memory",
		"--registry=etcd --registry_tls_ca=/nope", "--registry_password_file=/nope",
	} {
		p := newProgram()
		_ = p.run(t, append(strings.Fields(args), "--registry_password="+secret)...)
		if strings.Contains(p.stdout+p.stderr, secret) {
			t.Errorf("%s: wrote %q and %q", args, p.stdout, p.stderr)
		}
	}
	p := newProgram()
	_ = p.run(t, "--registry_pasword="+secret)
	if strings.Contains(p.stderr, secret) || !strings.Contains(p.stderr, "--registry_password") {
		t.Errorf("a misspelt flag: wrote %q", p.stderr)
	}
}
