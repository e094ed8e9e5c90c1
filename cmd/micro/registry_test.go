package main

import (
	"net"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestRegistryWithTLSAndUsers(t *testing.T) {
	ca, stranger := testkit.NewCA(t), testkit.NewCA(t)
	etcd := testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	etcd.EnableAuth(t, "user", "secret")
	own := ca.Client(t, "client")
	at := []string{"--timeout=3s", "--registry_address=" + etcd.Addr()}
	certificate := []string{"--registry_tls_cert=" + own.CertFile, "--registry_tls_key=" + own.KeyFile}
	trust := func(ca *testkit.CA) []string { return append(certificate, "--registry_tls_ca="+ca.File) }
	login := func(password string) []string {
		return []string{"--registry_user=user", "--registry_password=" + password}
	}
	for _, tt := range []struct {
		name  string
		flags []string
		want  string // a part of the error, "" if there is none
	}{
		{"all right", append(trust(ca), login("secret")...), ""},
		{"wrong authority", append(trust(stranger), login("secret")...), "certificate signed by unknown authority"},
		{"wrong password", append(trust(ca), login("guess")...), `"user"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append(append([]string{"list", "services"}, at...), tt.flags...)
			code, stdout, stderr := micro(t, args...)
			if tt.want == "" {
				if code != exitOK || stderr != "" {
					t.Errorf("exit code %d, stderr %q", code, stderr)
				}
				return
			}
			if code != exitFailed || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, etcd.Addr()) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// TestAgentThatHangs asks what takes connections and never answers.
func TestAgentThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	for _, command := range []string{"list services", "get service shop", "call shop Shop.Buy", "watch", "node pause shop shop-1"} {
		args := append(strings.Fields(command), "--timeout=200ms", "--registry=consul", "--registry_address="+addr)
		code, stdout, stderr := micro(t, args...)
		if code != exitFailed || stdout != "" || !strings.HasPrefix(stderr, "micro: connect to consul at "+addr+": ") || !strings.Contains(stderr, "no answer within 200ms") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", command, code, stdout, stderr)
		}
	}
}

// etcdAt is a target without or with an address.
func etcdAt(addrs ...string) registryTarget {
	return registryTarget{members: []member{{kind: "etcd", Settings: registryflags.Settings{Addrs: addrs}}}, chosen: true}
}

func TestNoRegistryGiven(t *testing.T) {
	p := etcdAt()
	if got := p.String(); got != "etcd at 127.0.0.1:2379" {
		t.Errorf("the default is %q", got)
	}
	err := p.explain(registry.ErrNotFound)
	if err == nil || !strings.Contains(err.Error(), "no --registry_address was given") || !strings.Contains(err.Error(), "`micro server`") {
		t.Errorf("the error says %q", err)
	}
	for kind, want := range map[string]string{"consul": "name an agent of Consul", "mdns": ""} {
		p := registryTarget{members: []member{{kind: kind}}}
		if err := p.explain(registry.ErrNotFound); !strings.Contains(err.Error(), want) || want == "" && err != registry.ErrNotFound {
			t.Errorf("of %s the error says %q", kind, err)
		}
	}
	if err := etcdAt("10.0.0.1:2379").explain(registry.ErrNotFound); err != registry.ErrNotFound {
		t.Errorf("the error says %q", err)
	}
}
