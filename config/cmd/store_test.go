package cmd

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/store"
)

func TestTheStoreIsNamedAfterTheService(t *testing.T) {
	p := newProgram()
	if err := p.run(t, "--store=etcd", "--store_address=127.0.0.1:1", "--server_name=shop"); err != nil || len(p.exited) > 0 {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	if o := p.store.Options(); p.store.String() != "etcd" || o.Table != "shop" || o.Database != "micro" {
		t.Errorf("the store is %s with %+v", p.store, o)
	}
}

func TestTheStoreUsesTheEtcdOfTheRegistry(t *testing.T) {
	p := newProgram()
	if err := p.run(t, "--store=etcd", "--registry=etcd", "--registry_address=127.0.0.1:1", "--namespace=blue"); err != nil || len(p.exited) > 0 {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	_, err := p.store.Read("x")
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("it asked another etcd: %v", err)
	}
	if c, ok := p.registry.(interface{ Close() error }); ok {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongStoresAndAuths(t *testing.T) {
	for args, says := range map[string]string{
		"--store=service":                      "the store of micro's runtime is not in this release",
		"--store=redis":                        "unknown store; choose one of: etcd, memory",
		"--store=etcd --store_address=a:b:c":   "store_address",
		"--auth=service":                       "the auth of micro's runtime is not in this release",
		"--auth=ldap":                          "unknown auth; choose one of: jwt, noop",
		"--auth=jwt --auth_public_key=x":       "want PEM in base64",
		"--auth=jwt --auth_public_key_file=/x": "/x",
		"--auth=jwt --auth_id=a":               "want both of --auth_id and --auth_secret",
		"--auth_provider=ldap":                 "unknown auth_provider; choose one of: basic, oauth",
	} {
		p := newProgram()
		if err := p.run(t, strings.Fields(args)...); len(p.exited) != 1 || p.exited[0] != 2 || !strings.Contains(p.stderr, says) {
			t.Errorf("%s: %v, exited with %v, wrote %q", args, err, p.exited, p.stderr)
		}
	}
}

// ownStore and ownAuth are the program's.
type ownStore struct{ store.Store }

func (ownStore) String() string { return "mine" }

type ownAuth struct{ auth.Auth }

func (ownAuth) String() string { return "mine" }

func TestStoreAndAuthOfTheProgramCanBeChosen(t *testing.T) {
	p := newProgram()
	former := p.store
	p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Auth(&p.auth), Store(&p.store),
		NewAuth("mine", func(o ...auth.Option) auth.Auth { return ownAuth{auth.NewAuth(o...)} }),
		func(o *Options) {
			o.Stores = map[string]func(...store.Option) store.Store{"mine": func(...store.Option) store.Store { return ownStore{former} }}
		})
	if err := p.run(t, "--store=mine", "--auth=mine", "--auth_namespace=shop"); err != nil || len(p.exited) > 0 {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	if p.store.String() != "mine" || p.auth.String() != "mine" || p.auth.Options().Namespace != "shop" || p.server.Options().Auth != p.auth {
		t.Errorf("the store is %s, the auth %s with %+v", p.store, p.auth, p.auth.Options())
	}
}
