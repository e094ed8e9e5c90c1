package cmd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
)

func addrs(a ...string) registry.Option { return registry.Addrs(a...) }

func TestWrongInputExitsWith2(t *testing.T) {
	for _, tc := range []struct {
		args string
		says string // everything on standard error, split at |
	}{
		{"--nope", "demo: unknown flag --nope|--help"},
		{"--config=app.yaml", "demo: unknown flag --config|micro.Flags"},
		{"--brokr=nats", "unknown flag --brokr|did you mean --broker?"},
		{"--registry=service", `--registry="service"|not in this release|choose one of: consul, etcd, mdns, memory`},
		{"--broker=service", `--broker="service"|not in this release|choose one of: `},
		{"--broker=kafka", `--broker="kafka"|unknown broker|choose one of: `},
		{"--registri=etcd", "unknown flag --registri|did you mean --registry?"},
		{"--registry=consul --namespace=a", `--namespace="a"|consul registry knows no namespaces`},
		{"--registry=consul,etcd --namespace=a", `--namespace="a"|consul registry knows no namespaces`},
		{"--registry=nope", `--registry="nope"|unknown registry|choose one of: consul, etcd, mdns, memory`},
		{"--registry=consul,nope", `--registry="consul,nope"|"nope": unknown registry|choose one of: consul, etcd, mdns, memory`},
		{"--registry=etcd,consul,etcd", `--registry="etcd,consul,etcd"|etcd is there twice`},
		{"--registry=etcd,,consul", `--registry="etcd,,consul"|name 2 of 3 is empty`},
		{"--registry=consul,etcd --registry_address=a:1", `--registry_address="a:1"|address 1 of 1 does not say of which registry it is; write consul=a:1`},
		{"--registry=consul,etcd --registry_address=etcd=a:1,mdns=b:1", `--registry_address="etcd=a:1,mdns=b:1"|"mdns" names a registry that is not chosen; --registry has: consul,etcd`},
		{"--registry=consul,etcd --registry_address=etcd=a:1,etcd=b:1", `etcd is there twice`},
		{"--registry=consul,etcd --registry_address=etcd=bad:1:2", `--registry_address="etcd=bad:1:2"`},
		{"--registry=consul,etcd --registry_user=etcd=root", `a user and a password come together`},
		{"--registry=etcd --registry_address=consul=a:1", `"consul" names a registry that is not chosen; --registry has: etcd`},
		{"--registry=consul --registry_token=secret --registry_token_file=/nope", `"/nope"|the token is given by --registry_token as well`},
		{"--registry=consul --registry_token_file=/nope", `--registry_token_file="/nope"|no such file`},
		{"--server=mucp", `--server="mucp"|choose one of: grpc`},
		{"--client=mucp", `--client="mucp"|choose one of: grpc`},
		{"--transport=tcp", `--transport="tcp"|calls go over gRPC, which needs no transport; leave it out`},
		{"--transport=carrier", `--transport="carrier"|choose one of: grpc, http, memory`},
		{"--selector=router", `--selector="router"|leave it out|choose one of: dns, static`},
		{"--client_request_timeout=fast", `--client_request_timeout="fast"|500ms`},
		{"--client_request_timeout=-1s", `--client_request_timeout="-1s"|500ms`},
		{"--client_balancer=leastload", `--client_balancer="leastload"|did you mean leastloaded?`},
		{"--client_zone_threshold=half", `--client_zone_threshold="half"|whole number`},
		{"--client_subset=-1", `--client_subset="-1"|whole number`},
		{"--client_warmup=30", `--client_warmup="30"|500ms`},
		{"--client_pool_ttl=5", `--client_pool_ttl="5"|500ms`},
		{"--register_ttl=15s", `--register_ttl="15s"|whole number`},
		{"--register_ttl=-1", `--register_ttl="-1"|whole number`},
		{"--register_ttl=9223372036854775807", `--register_ttl="9223372036854775807"|2147483647`},
		{"--client_retries=x", `--client_retries="x"|whole number`},
		{"--client_retry_budget=-1", `--client_retry_budget="-1"|or off`},
		{"--server_concurrency_limit=many", `--server_concurrency_limit="many"|or adaptive`},
		{"--server_metadata==a", `--server_metadata="=a"|key=value`},
		{"--server_address=nonsense", `--server_address="nonsense"|port is missing`},
		{"--server_address=http://127.0.0.1:80", `--server_address="http://127.0.0.1:80"|without "http://"`},
		{"--server_advertise=a:b:c", `--server_advertise="a:b:c"|host:port`},
		{"--server_address", "flag needs an argument: -server_address"},
		{"--registry=etcd --registry_address=bad:1:2", `"bad:1:2"`},
		{"--registry=etcd --registry_address=,", `--registry_address=","|address 1 of 2 is empty`},
		{"--registry=etcd --registry_address=a:1,,b:2", `--registry_address="a:1,,b:2"|address 2 of 3 is empty`},
		{"--registry=etcd --registry_address=a:1;b:2", `--registry_address="a:1;b:2"|commas separate them: a:1,b:2`},
		{`--registry=etcd --registry_address="a:1"`, `quotes are part of the value`},
		{`--registry=etcd --registry_address="a:1","b:1"`, `quotes are part of the`},
		{`--server_address=":8080"`, `quotes are part of the value`},
		{`--server_metadata="a=b,c=d"`, `quotes are part of the value`},
		{`--server_metadata='a=b'`, `quotes are part of the value`},
		{"--registry=etcd --registry_address=http://root:secret@a:1", "--registry_address: user and password do not belong in an address|--registry_user"},
		{"--registry=etcd --namespace=a/b", `--namespace="a/b"|letters, digits`},
		{"--registry=etcd --registry_user=root", `--registry_user="root"|MICRO_REGISTRY_PASSWORD`},
		{"--registry=etcd --registry_password=secret", "--registry_password:|come together|MICRO_REGISTRY_USER"},
		{"--registry=etcd --registry_password_file=wrong_test.go", `--registry_password_file="wrong_test.go":|come together|MICRO_REGISTRY_USER`},
		{"--registry=etcd --registry_user=root --registry_password_file=/nope", `--registry_password_file="/nope"|no such file`},
		{"--registry=etcd --registry_user=root --registry_password=secret --registry_password_file=/nope", `"/nope"|as well`},
		{"--registry=etcd --registry_tls_ca=/nope", `--registry_tls_ca="/nope"|no such file`},
		{"--registry=etcd --registry_tls_cert=/nope", `--registry_tls_cert="/nope"|--registry_tls_key`},
		{"--registry=etcd --registry_tls_key=/nope", `--registry_tls_key="/nope"|--registry_tls_cert`},
		{"--registry=etcd --registry_tls_key=/nope --registry_tls_cert=/nope", `--registry_tls_cert="/nope"|no such file`},
		// Of several the first, in the order of the help.
		{"--client_retries=x --register_interval=y --register_ttl=z --registry=w", `--registry="w"`},
		{"--client_retries=x --register_interval=y --register_ttl=z", `--register_ttl="z"`},
		{"--registry=etcd --registry_address=ftp://a:1", `"ftp://a:1"|unknown scheme`},
		{"--registry=etcd --registry_address=a_b!:1", `"a_b!:1"`},
	} {
		t.Run(tc.args, func(t *testing.T) {
			p := newProgram()
			err := p.run(t, strings.Fields(tc.args)...)
			if err == nil || len(p.exited) != 1 || p.exited[0] != 2 {
				t.Errorf("Init returned %v and exited with %v, want 2", err, p.exited)
			}
			if strings.Count(p.stderr, "\n") != 1 || p.stdout != "" {
				t.Errorf("wrote %q to standard error, want one line, and %q to standard output", p.stderr, p.stdout)
			}
			if strings.Contains(p.stderr, "secret") {
				t.Errorf("wrote a secret: %q", p.stderr)
			}
			for part := range strings.SplitSeq(tc.says, "|") {
				if !strings.Contains(p.stderr, part) {
					t.Errorf("%q does not say %q", p.stderr, part)
				}
			}
		})
	}
}

func TestQuotesOfAVariable(t *testing.T) {
	t.Setenv("MICRO_SERVER_METADATA", `"zone=a,rack=b"`)
	p := newProgram()
	if err := p.run(t); err == nil || !strings.Contains(p.stderr, "quotes are part of the value; leave them out (given by MICRO_SERVER_METADATA)") {
		t.Errorf("Init: %v, wrote %q", err, p.stderr)
	}
}

// TestSettingsThatNobodyAskedFor says where a registry is, and not which: nothing is
// looked for in multicast DNS in its place.
func TestSettingsThatNobodyAskedFor(t *testing.T) {
	for _, arg := range []string{"--registry_address=10.0.0.5:2379", "--registry_user=root", "--namespace=blue"} {
		p := newProgram()
		p.registry = registry.NewRegistry()
		name, _, _ := strings.Cut(arg, "=")
		if err := p.run(t, arg); err == nil || !slices.Equal(p.exited, []int{2}) || !strings.Contains(p.stderr, name) || !strings.Contains(p.stderr, "--registry=etcd") {
			t.Errorf("Init: %v, exited with %v, wrote %q", err, p.exited, p.stderr)
		}
	}
}

func TestWrongVariableExitsWith2(t *testing.T) {
	t.Setenv("MICRO_REGISTER_TTL", "soon")
	p := newProgram()
	if err := p.run(t); err == nil || len(p.exited) != 1 || p.exited[0] != 2 || !strings.Contains(p.stderr, `--register_ttl="soon": `) || !strings.Contains(p.stderr, `MICRO_REGISTER_TTL`) {
		t.Errorf("Init returned %v, exited with %v and wrote %q", err, p.exited, p.stderr)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, arg := range []string{"--help", "-h"} {
		p := newProgram()
		if err := p.run(t, arg); err != nil || len(p.exited) != 1 || p.exited[0] != 0 || p.stderr != "" {
			t.Errorf("%s: %v, exited with %v, wrote %q to standard error", arg, err, p.exited, p.stderr)
		}
		for _, f := range DefaultFlags {
			if !strings.Contains(p.stdout, "--"+f.Names()[0]) {
				t.Errorf("%s does not show --%s", arg, f.Names()[0])
			}
		}
	}
	for _, arg := range []string{"--version", "-v"} {
		p := newProgram()
		if err := p.run(t, arg); err != nil || len(p.exited) != 1 || p.exited[0] != 0 || !strings.Contains(p.stdout, "1.2.3") {
			t.Errorf("%s: %v, exited with %v, wrote %q", arg, err, p.exited, p.stdout)
		}
	}
}

func TestActionOfTheProgram(t *testing.T) {
	p := newProgram()
	var seen string
	p.cmd.App().Flags = append(p.cmd.App().Flags, &cli.StringFlag{Name: "version"}, &cli.StringFlag{Name: "port", Aliases: []string{"v"}})
	p.cmd.App().Action = func(c *cli.Context) error {
		seen = c.String("port") + c.String("version") + p.server.Options().Name
		return nil
	}
	if err := p.run(t, "-v=1", "--version=2", "--server_name=3"); err != nil || seen != "123" || len(p.exited) > 0 {
		t.Errorf("Init: %v, the action saw %q, exited with %v", err, seen, p.exited)
	}
	failed := errors.New("no disk")
	p.cmd.App().Action = func(*cli.Context) error { return failed }
	if err := p.run(t); !errors.Is(err, failed) || len(p.exited) != 1 || p.exited[0] != 1 || p.stderr != "demo: no disk\n" {
		t.Errorf("Init: %v, exited with %v, wrote %q", err, p.exited, p.stderr)
	}
	p = newProgram()
	p.cmd.App().Action = func(*cli.Context) error { return cli.Exit("full", 7) }
	if err := p.run(t); err == nil || len(p.exited) != 1 || p.exited[0] != 7 {
		t.Errorf("Init: %v, exited with %v, want 7", err, p.exited)
	}
}

func TestActionLooksAtTheOptions(t *testing.T) {
	p := newProgram()
	var name string
	p.cmd.App().Action = func(*cli.Context) error {
		name = p.cmd.Options().Name
		return nil
	}
	if err := p.run(t); err != nil || name != "demo" {
		t.Errorf("Init: %v, the action saw the name %q", err, name)
	}
}

func TestCommandOfTheProgram(t *testing.T) {
	p := newProgram()
	ran := false
	p.cmd.App().Commands = []*cli.Command{{Name: "migrate", Action: func(*cli.Context) error { ran = true; return nil }}}
	if err := p.run(t, "--server_name=x", "migrate"); err != nil || !ran || len(p.exited) > 0 || p.server.Options().Name != "x" {
		t.Errorf("Init: %v, ran %v, exited with %v", err, ran, p.exited)
	}
}

func TestChosenByName(t *testing.T) {
	mine := memory.NewRegistry()
	p := newProgram()
	p.cmd = NewCmd(Name("demo"), Registry(&p.registry), Server(&p.server), Client(&p.client),
		NewRegistry("mine", func(...registry.Option) registry.Registry { return named{mine, "mine"} }),
		NewServer("mine", func(o ...server.Option) server.Server { return otherServer{server.NewServer(o...)} }),
		NewClient("mine", func(o ...client.Option) client.Client { return otherClient{client.NewClient(o...)} }),
	)
	if err := p.run(t, "--registry=mine", "--server=mine", "--client=mine", "--server_name=x", "--client_retries=3"); err != nil {
		t.Fatal(err)
	}
	if p.registry.String() != "mine" || p.server.String() != "mine" || p.client.String() != "mine" {
		t.Errorf("chose %s, %s and %s", p.registry, p.server, p.client)
	}
	if p.server.Options().Name != "x" || p.server.Options().Registry != p.registry || p.client.Options().CallOptions.Retries != 3 {
		t.Error("what was chosen did not get the other settings")
	}
	if err := p.run(t, "--registry=yours"); err == nil || !strings.Contains(p.stderr, "consul, etcd, mdns, memory, mine") {
		t.Errorf("wrote %q, want the choices with the program's own", p.stderr)
	}
}

type named struct {
	registry.Registry
	name string
}

func (n named) String() string { return n.name }

type otherServer struct{ server.Server }

func (otherServer) String() string { return "mine" }

type otherClient struct{ client.Client }

func (otherClient) String() string { return "mine" }

func TestTwoCommandLinesShareNothing(t *testing.T) {
	t.Setenv("MICRO_SERVER_NAME", "first")
	p := newProgram()
	if err := p.run(t); err != nil || p.server.Options().Name != "first" {
		t.Fatalf("Init: %v, the name is %q", err, p.server.Options().Name)
	}
	t.Setenv("MICRO_SERVER_NAME", "")
	q := newProgram()
	if err := q.run(t); err != nil || q.server.Options().Name != "go.micro.server" {
		t.Errorf("Init: %v, the second took %q from the first", err, q.server.Options().Name)
	}
}
