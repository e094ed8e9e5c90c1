package cmd

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
	"github.com/rollcall-go/micro/registry/consul"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
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

// foreign is a registry of the program's own, which does not keep what it cannot use.
type foreign struct{ registry.Registry }

func (foreign) Init(...registry.Option) error { return nil }
func (foreign) Options() registry.Options     { return registry.Options{} }
func (foreign) String() string                { return "foreign" }

// TestCredentialsForARegistryOfTheProgram gives pairs that are whole, and half of one.
func TestCredentialsForARegistryOfTheProgram(t *testing.T) {
	for args, wrong := range map[string]bool{
		"--registry=foreign --registry_user=u --registry_password=p": false, "--registry_user=u --registry_password=p": false,
		"--registry=foreign --registry_user=u": true, "--registry=foreign --registry_password=p": true,
	} {
		p := newProgram()
		p.registry = foreign{memory.NewRegistry()}
		p.cmd = NewCmd(Name("demo"), Registry(&p.registry), NewRegistry("foreign", func(...registry.Option) registry.Registry { return foreign{memory.NewRegistry()} }))
		if err := p.run(t, strings.Fields(args)...); (err != nil) != wrong {
			t.Errorf("%s: Init: %v, wrote %q", args, err, p.stderr)
		}
	}
}

// TestSettingsThatTheRegistryCannotUseAreTold chooses registries that obey few flags.
func TestSettingsThatTheRegistryCannotUseAreTold(t *testing.T) {
	const all = "--registry_address=a:1 --registry_user=u --registry_password=hunter2 --namespace=blue"
	for _, tt := range []struct {
		registry registry.Registry
		args     string
		want     string // the flags that are told
	}{
		{memory.NewRegistry(), all, "--registry_address --registry_user --registry_password --namespace"},
		{foreign{memory.NewRegistry()}, all, "--registry_user --registry_password --namespace"},
		{foreign{memory.NewRegistry()}, "--registry_address=a:1", ""},
		{wrapped{etcd.NewRegistry()}, all, ""},
	} {
		lines := warnings(t)
		p := newProgram()
		p.registry = tt.registry
		if err := p.run(t, strings.Fields(tt.args)...); err != nil {
			t.Errorf("%s: %v, wrote %q", tt.registry, err, p.stderr)
		}
		var told []string
		for _, word := range strings.Fields(strings.Join(lines(), " ")) {
			if strings.HasPrefix(word, "--") {
				told = append(told, word)
			}
		}
		if got := strings.Join(told, " "); got != tt.want || strings.Contains(strings.Join(lines(), ""), "hunter2") {
			t.Errorf("%s: told %q, want %q", tt.registry, lines(), tt.want)
		}
	}
}

// TestTheNamedRegistryMayBeWrapped names what the code made and put into a cache.
func TestTheNamedRegistryMayBeWrapped(t *testing.T) {
	for _, name := range []string{"etcd", "ETCD", "cache"} {
		c := cache.New(cache.New(etcd.NewRegistry(addrs("10.0.0.5:2379"))))
		p := newProgram()
		p.registry = c
		if err := p.run(t, "--registry="+name, "--registry_user=u", "--registry_password=p"); err != nil {
			t.Errorf("%s: %v, wrote %q", name, err, p.stderr)
		}
		if got := p.registry.Options().Addrs; p.registry != registry.Registry(c) || len(got) != 1 || got[0] != "10.0.0.5:2379" {
			t.Errorf("%s: the registry of the code was replaced by %s at %q", name, p.registry, got)
		}
		c.Stop()
	}
	p := newProgram()
	c := cache.New(registry.NewRegistry())
	defer c.Stop()
	p.registry = c
	if err := p.run(t, "--registry=memory"); err != nil || p.registry.String() != "memory" {
		t.Errorf("a cache of nothing was not replaced: %v, %s", err, p.registry)
	}
}

// TestSeveralRegistries chooses a list, with what is for each, by flags and by
// variables.
func TestSeveralRegistries(t *testing.T) {
	values := map[string]string{
		"registry": "consul,etcd,mine", "registry_address": "consul=10.0.0.5:8500,etcd=10.0.0.6:2379,10.0.0.7:2379,mine=x:1",
		"registry_user": "etcd=root", "registry_password": "etcd=hun,ter=2", "registry_token": "secret", "namespace": "etcd=blue", "registry_snapshot": "/var/lib/x",
	}
	for _, by := range []string{"flag", "variable"} {
		lines := warnings(t)
		made := make(map[string]registry.Options)
		spy := func(name string, construct func(...registry.Option) registry.Registry) Option {
			return NewRegistry(name, func(opts ...registry.Option) registry.Registry {
				r := construct(opts...)
				made[name] = r.Options()
				return r
			})
		}
		p := newProgram()
		p.cmd = NewCmd(Name("demo"), Registry(&p.registry), Server(&p.server), Client(&p.client),
			spy("consul", consul.NewRegistry), spy("etcd", etcd.NewRegistry), spy("mine", memory.NewRegistry))
		var args []string
		for name, value := range values {
			if by == "variable" {
				t.Setenv("MICRO_"+strings.ToUpper(name), value)
			} else {
				args = append(args, "--"+name+"="+value)
			}
		}
		if err := p.run(t, args...); err != nil {
			t.Fatalf("%s: %v, wrote %q", by, err, p.stderr)
		}
		if p.registry.String() != "multi" || p.server.Options().Registry != p.registry || p.client.Options().Registry != p.registry {
			t.Errorf("%s: the registry is %s, the server has %s, the client %s", by, p.registry, p.server.Options().Registry, p.client.Options().Registry)
		}
		if p.registry.Options().Snapshot != "/var/lib/x" {
			t.Errorf("%s: the snapshot is in %q", by, p.registry.Options().Snapshot)
		}
		got := fmt.Sprint(made["consul"].Addrs, made["etcd"].Addrs, made["mine"].Addrs)
		if want := "[10.0.0.5:8500] [10.0.0.6:2379 10.0.0.7:2379] [x:1]"; got != want {
			t.Errorf("%s: the addresses are %s, want %s", by, got, want)
		}
		access, _ := settings.Of[credentials.Credentials](made["etcd"].Context)
		ofConsul, _ := settings.Of[credentials.Credentials](made["consul"].Context)
		if access.Username != "root" || access.Password != "hun,ter=2" || ofConsul.Username != "" || ofConsul.Token != "secret" {
			t.Errorf("%s: etcd is given %+v, Consul %+v", by, access, ofConsul)
		}
		if told := lines(); told[0] != "" {
			t.Errorf("%s: told %q", by, told)
		}
		if err := p.registry.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTheRegistryOfTheCodeAmongSeveral keeps what the code said of it, and leaves it to
// the code to close.
func TestTheRegistryOfTheCodeAmongSeveral(t *testing.T) {
	p := newProgram()
	own := memory.NewRegistry()
	p.registry = own
	if err := p.run(t, "--registry=etcd,memory", "--registry_address=etcd=127.0.0.1:1"); err != nil {
		t.Fatalf("%v, wrote %q", err, p.stderr)
	}
	service := &registry.Service{Name: "svc", Version: "1", Nodes: []*registry.Node{{Id: "svc-1", Address: "127.0.0.1:1"}}}
	if err := p.registry.Register(service); err != nil {
		t.Fatal(err)
	}
	if err := p.registry.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if found, err := own.GetService("svc"); err != nil || len(found) != 1 {
		t.Errorf("the code's registry has %v, %v", found, err)
	}
	if err := own.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// TestTheDefaultInACoatAmongSeveral has a wrapper of the default among the registries:
// the default, which is inside, must not stand for all of them.
func TestTheDefaultInACoatAmongSeveral(t *testing.T) {
	before := registry.DefaultRegistry
	registry.DefaultRegistry = registry.NewRegistry() // of which nothing has been chosen
	defer func() { registry.DefaultRegistry = before }()
	p := newProgram()
	p.registry = coat{registry.DefaultRegistry}
	if err := p.run(t, "--registry=mdns,memory"); err != nil || p.registry.String() != "multi" {
		t.Fatalf("%v, the registry is %s, wrote %q", err, p.registry, p.stderr)
	}
	if inside := registry.DefaultRegistry.(ability.Placeholder); inside.Chosen() {
		inside.Forget(p.registry)
		t.Error("the default stands for what it is part of")
	}
	if err := p.registry.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// coat is a registry of a program around another one, whose name it keeps.
type coat struct{ registry.Registry }

// wrapped is a registry of ours in another's coat.
type wrapped struct{ registry.Registry }

func (wrapped) String() string { return "wrapped" }

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
	for _, arg := range []string{"---registry_password=", "--=", "\u2014registry_password=", "registry_password=", "-- --registry_password=", "serve --registry_password="} {
		p := newProgram()
		if err := p.run(t, strings.Fields(arg+secret)...); err == nil || len(p.exited) != 1 || p.exited[0] != 2 || strings.Contains(p.stderr, secret) {
			t.Errorf("%s: Init: %v, exited with %v and wrote %q", arg, err, p.exited, p.stderr)
		}
	}
	p := newProgram()
	_ = p.run(t, "--registry_pasword="+secret)
	if strings.Contains(p.stderr, secret) || !strings.Contains(p.stderr, "--registry_password") {
		t.Errorf("a misspelt flag: wrote %q", p.stderr)
	}
}
