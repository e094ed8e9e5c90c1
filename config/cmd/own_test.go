package cmd

import (
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry/etcd"
)

// TestFlagsOfTheProgramGoFirst declares flags that services have as well, as a
// program may that is older than ours.
func TestFlagsOfTheProgramGoFirst(t *testing.T) {
	t.Setenv("MICRO_REGISTRY_USER", "")
	p := newProgram()
	p.registry = etcd.NewRegistry(addrs("a:1"))
	var seen string
	p.cmd.App().Flags = append(p.cmd.App().Flags, &cli.StringFlag{Name: "namespace", EnvVars: []string{"NAMESPACE"}},
		&cli.IntFlag{Name: "user-id", Aliases: []string{"registry_user"}}, &cli.StringFlag{Name: "broker"})
	p.cmd.App().Action = func(c *cli.Context) error {
		seen = c.String("namespace") + c.String("broker")
		return nil
	}
	if err := p.run(t, "--namespace=kube/system", "--registry_user=7", "--broker=mine"); err != nil || len(p.exited) > 0 || seen != "kube/systemmine" {
		t.Errorf("Init: %v, exited with %v, the program saw %q; wrote %q", err, p.exited, seen, p.stderr)
	}
	if l, _ := settings.Of[layout.Layout](p.registry.Options().Context); l != (layout.Layout{}) {
		t.Errorf("the program's flag went to the registry: %+v", l)
	}
	t.Setenv("MICRO_NAMESPACE", "blue")
	if err := p.run(t, "--namespace=kube/system"); err != nil {
		t.Errorf("Init: %v, wrote %q", err, p.stderr)
	}
	if l, _ := settings.Of[layout.Layout](p.registry.Options().Context); l.Namespace != "blue" {
		t.Errorf("the variable did not go to the registry: %+v", l)
	}
}
