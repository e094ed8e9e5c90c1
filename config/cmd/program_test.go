package cmd

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/broker"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/store"
	records "github.com/rollcall-go/micro/store/memory"

	_ "github.com/rollcall-go/micro/client/grpc"
	_ "github.com/rollcall-go/micro/server/grpc"
)

// program is a service as far as the command line reaches into it.
type program struct {
	server   server.Server
	client   client.Client
	registry registry.Registry
	auth     auth.Auth
	store    store.Store
	broker   broker.Broker
	cmd      Cmd
	id       string // of the server, before anything was set

	binary string // the name of the program's file, "demo" if empty
	exited []int  // the codes that the process would have ended with
	stdout string
	stderr string
}

func newProgram() *program {
	p := &program{server: server.NewServer(), client: client.NewClient(), registry: memory.NewRegistry(), auth: auth.NewAuth(), store: records.NewStore(), broker: brokermemory.NewBroker()}
	p.id = p.server.Options().Id
	p.cmd = NewCmd(Name("demo"), Version("1.2.3"), Server(&p.server), Client(&p.client), Registry(&p.registry), Auth(&p.auth), Store(&p.store), Broker(&p.broker))
	return p
}

// run parses args as the command line of the process.
func (p *program) run(t *testing.T, args ...string) error {
	t.Helper()
	stdout, stderr, before := os.Stdout, os.Stderr, os.Args
	defer func() { os.Stdout, os.Stderr, os.Args, exit = stdout, stderr, before, os.Exit }()
	exit = func(code int) { p.exited = append(p.exited, code) }
	os.Args = append([]string{cmp.Or(p.binary, "demo")}, args...)
	dir := t.TempDir()
	os.Stdout, os.Stderr = create(t, filepath.Join(dir, "out")), create(t, filepath.Join(dir, "err"))
	p.cmd.App().Writer = os.Stdout
	err := p.cmd.Init()
	p.stdout, p.stderr = contents(t, os.Stdout), contents(t, os.Stderr)
	return err
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func contents(t *testing.T, f *os.File) string {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
