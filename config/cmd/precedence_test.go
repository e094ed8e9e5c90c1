package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/jwt"
	"github.com/rollcall-go/micro/auth/provider"
	"github.com/rollcall-go/micro/auth/provider/oauth"
	"github.com/rollcall-go/micro/broker"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/debug/service/handler"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/store"
	setcd "github.com/rollcall-go/micro/store/etcd"
)

// knob is one setting: its flag, what the program's code says, and where to look.
type knob struct {
	flag string
	code func(p *program) error
	read func(p *program) string
	// The values of the code, of the variable and of the flag, as read sees them;
	// texts are what is given, where that is another.
	fromCode, fromEnv, fromFlag string
	envText, flagText           string
	byDefault                   string
}

func onServer(o func() server.Option) func(*program) error {
	return func(p *program) error { return p.server.Init(o()) }
}

func onClient(o func() client.Option) func(*program) error {
	return func(p *program) error { return p.client.Init(o()) }
}

func knobs(t *testing.T) []knob {
	srv := func(read func(o server.Options) string) func(*program) string {
		return func(p *program) string { return read(p.server.Options()) }
	}
	cli := func(read func(o client.Options) string) func(*program) string {
		return func(p *program) string { return read(p.client.Options()) }
	}
	sel := func(read func(o selector.Options) string) func(*program) string {
		return func(p *program) string { return read(p.client.Options().Selector.Options()) }
	}
	pol := func(read func(balance.Policy) string) func(*program) string {
		return sel(func(o selector.Options) string {
			p, _ := settings.Of[balance.Policy](o.Context)
			return read(p)
		})
	}
	access := func(read func(a credentials.Credentials) string) func(*program) string {
		return func(p *program) string {
			a, _ := settings.Of[credentials.Credentials](p.registry.Options().Context)
			return read(a)
		}
	}
	onEtcd := func(o ...registry.Option) func(*program) error {
		return func(p *program) error { p.registry = etcd.NewRegistry(append(o, addrs("a:1"))...); return nil }
	}
	var ca [3]string
	for i := range ca {
		ca[i] = testkit.NewCA(t).File
	}
	authority := testkit.NewCA(t)
	pair := authority.Client(t, "svc")
	copies := func(of string) (paths [3]string) {
		content, err := os.ReadFile(of)
		for i := range paths {
			paths[i] = filepath.Join(t.TempDir(), "file")
			err = errors.Join(err, os.WriteFile(paths[i], content, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		return paths
	}
	passwords, certs, keys := copies(pair.CertFile), copies(pair.CertFile), copies(pair.KeyFile)
	onTLS := func(o ...server.Option) func(*program) error {
		return func(p *program) error { return p.server.Init(o...) }
	}
	srvTLS := func(read func(s secure.Server) string) func(*program) string {
		return func(p *program) string {
			s, ok := settings.Of[*secure.Server](p.server.Options().Context)
			if !ok {
				return ""
			}
			return read(*s)
		}
	}
	cliTLS := func(read func(c secure.Client) string) func(*program) string {
		return func(p *program) string {
			c, _ := settings.Of[secure.Client](p.client.Options().Context)
			return read(c)
		}
	}
	onAuth := func(o ...auth.Option) func(*program) error {
		return func(p *program) error { p.auth.Init(o...); return nil }
	}
	aut := func(read func(o auth.Options) string) func(*program) string {
		return func(p *program) string { return read(p.auth.Options()) }
	}
	onProvider := func(o ...provider.Option) func(*program) error { return onAuth(auth.Provider(oauth.NewProvider(o...))) }
	prov := func(read func(o provider.Options) string) func(*program) string {
		return aut(func(o auth.Options) string { return read(o.Provider.Options()) })
	}
	onStore := func(o store.Option) func(*program) error { return func(p *program) error { return p.store.Init(o) } }
	sto := func(read func(o store.Options) string) func(*program) string {
		return func(p *program) string { return read(p.store.Options()) }
	}
	return []knob{
		{flag: "store", code: func(p *program) error { p.store = setcd.NewStore(); return nil },
			read: func(p *program) string { return p.store.String() }, fromCode: "etcd", fromEnv: "memory", fromFlag: "etcd", byDefault: "memory"},
		{flag: "store_address", code: onStore(store.Nodes("a:1")),
			read: sto(func(o store.Options) string { return fmt.Sprint(o.Nodes) }), fromCode: "[a:1]", fromEnv: "[b:2 c:3]", envText: "b:2, c:3", fromFlag: "[d]", flagText: "d", byDefault: "[]"},
		{flag: "store_database", code: onStore(store.Database("a")),
			read: sto(func(o store.Options) string { return o.Database }), fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: "micro"},
		{flag: "store_table", code: onStore(store.Table("a")),
			read: sto(func(o store.Options) string { return o.Table }), fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: "micro"},
		{flag: "auth", code: func(p *program) error { p.auth = jwt.NewAuth(); return nil },
			read: func(p *program) string { return p.auth.String() }, fromCode: "jwt", fromEnv: "noop", fromFlag: "jwt", byDefault: "noop"},
		{flag: "auth_namespace", code: onAuth(auth.Namespace("a")), read: aut(func(o auth.Options) string { return o.Namespace }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_public_key", code: onAuth(auth.PublicKey("a")), read: aut(func(o auth.Options) string { return o.PublicKey }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_public_key_file", code: onAuth(auth.PublicKeyFile("a")), read: aut(func(o auth.Options) string { return o.PublicKeyFile }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_private_key", code: onAuth(auth.PrivateKey("a")), read: aut(func(o auth.Options) string { return o.PrivateKey }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_private_key_file", code: onAuth(auth.PrivateKeyFile("a")), read: aut(func(o auth.Options) string { return o.PrivateKeyFile }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_id", code: onAuth(auth.Credentials("a", "s")), read: aut(func(o auth.Options) string { return o.ID }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_secret", code: onAuth(auth.Credentials("i", "a")), read: aut(func(o auth.Options) string { return o.Secret }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_provider", code: onProvider(), read: aut(func(o auth.Options) string { return o.Provider.String() }), fromCode: "oauth", fromEnv: "basic", fromFlag: "oauth", byDefault: "basic"},
		{flag: "auth_provider_client_id", code: onProvider(provider.Credentials("a", "s")), read: prov(func(o provider.Options) string { return o.ClientID }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_provider_client_secret", code: onProvider(provider.Credentials("i", "a")), read: prov(func(o provider.Options) string { return o.ClientSecret }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_provider_endpoint", code: onProvider(provider.Endpoint("a")), read: prov(func(o provider.Options) string { return o.Endpoint }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_provider_redirect", code: onProvider(provider.Redirect("a")), read: prov(func(o provider.Options) string { return o.Redirect }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "auth_provider_scope", code: onProvider(provider.Scope("a")), read: prov(func(o provider.Options) string { return o.Scope }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "debug_handler", code: onTLS(handler.Methods("Health")), byDefault: "",
			read: srv(func(o server.Options) string { return strings.Join(handler.MethodsOf(o), ",") }), fromCode: "Health",
			fromEnv: "Health,Stats", envText: "health, Stats", fromFlag: strings.Join(handler.Names(), ","), flagText: "ALL"},
		{flag: "server_tls_cert", code: onTLS(sgrpc.TLSFiles("", certs[0], pair.KeyFile)),
			read: srvTLS(func(s secure.Server) string { return s.Files.Cert }), fromCode: certs[0], fromEnv: certs[1], fromFlag: certs[2]},
		{flag: "server_tls_key", code: onTLS(sgrpc.TLSFiles("", pair.CertFile, keys[0])),
			read: srvTLS(func(s secure.Server) string { return s.Files.Key }), fromCode: keys[0], fromEnv: keys[1], fromFlag: keys[2]},
		{flag: "server_tls_client_ca", code: onTLS(sgrpc.TLSFiles(ca[0], pair.CertFile, pair.KeyFile)),
			read: srvTLS(func(s secure.Server) string { return s.Files.CA }), fromCode: ca[0], fromEnv: ca[1], fromFlag: ca[2]},
		{flag: "server_tls_allow", code: onTLS(sgrpc.TLSFiles(ca[0], pair.CertFile, pair.KeyFile), sgrpc.AllowCallers("a")),
			read: srvTLS(func(s secure.Server) string { return strings.Join(s.Allow, "|") }), fromCode: "a", fromEnv: "b|spiffe://c/*", envText: "b, spiffe://c/*", fromFlag: "c"},
		{flag: "server_tls_mode", code: onTLS(sgrpc.TLSFiles("", pair.CertFile, pair.KeyFile), sgrpc.AcceptPlaintext(true)),
			read: srvTLS(secure.Server.Says), fromCode: "both", fromEnv: "only", fromFlag: "both"},
		{flag: "client_tls_ca", code: onClient(func() client.Option { return cgrpc.TLSFiles(ca[0], "", "") }),
			read: cliTLS(func(c secure.Client) string { return c.Files.CA }), fromCode: ca[0], fromEnv: ca[1], fromFlag: ca[2]},
		{flag: "client_tls_cert", code: onClient(func() client.Option { return cgrpc.TLSFiles("", certs[0], pair.KeyFile) }),
			read: cliTLS(func(c secure.Client) string { return c.Files.Cert }), fromCode: certs[0], fromEnv: certs[1], fromFlag: certs[2]},
		{flag: "client_tls_key", code: onClient(func() client.Option { return cgrpc.TLSFiles("", pair.CertFile, keys[0]) }),
			read: cliTLS(func(c secure.Client) string { return c.Files.Key }), fromCode: keys[0], fromEnv: keys[1], fromFlag: keys[2]},
		{flag: "client_tls_server_name", code: onClient(func() client.Option { return cgrpc.TLSServerName("a") }),
			read: cliTLS(func(c secure.Client) string { return c.ServerName }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "client_tls_identity", code: onClient(func() client.Option { return cgrpc.TLSIdentity("host") }),
			read: cliTLS(func(c secure.Client) string { return c.Identity }), fromCode: "host", fromEnv: "service", fromFlag: "spiffe://a/{service}"},
		{flag: "client_tls_mode", code: onClient(func() client.Option { return cgrpc.PreferTLS(true) }),
			read: cliTLS(func(c secure.Client) string { return fmt.Sprint(c.Prefer, c.Require) }), fromCode: "true false", fromEnv: "false true", envText: "require",
			fromFlag: "true false", flagText: "prefer", byDefault: "false false"},
		{flag: "registry_user", code: onEtcd(etcd.Auth("a", "secret")),
			read: access(func(a credentials.Credentials) string { return a.Username }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "registry_password", code: onEtcd(etcd.Auth("a", "secret1")),
			read: access(func(a credentials.Credentials) string { return a.Password + a.PasswordFile }), fromCode: "secret1", fromEnv: "secret2 ", fromFlag: "secret3"},
		{flag: "registry_password_file", code: onEtcd(etcd.AuthFile("a", passwords[0])),
			read: access(func(a credentials.Credentials) string { return a.Password + a.PasswordFile }), fromCode: passwords[0], fromEnv: passwords[1], fromFlag: passwords[2]},
		{flag: "registry_token", code: onEtcd(consul.Token("a")),
			read: access(func(a credentials.Credentials) string { return a.Token + a.TokenFile }), fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "registry_token_file", code: onEtcd(consul.TokenFile(passwords[0])),
			read: access(func(a credentials.Credentials) string { return a.Token + a.TokenFile }), fromCode: passwords[0], fromEnv: passwords[1], fromFlag: passwords[2]},
		{flag: "registry_tls_ca", code: onEtcd(etcd.TLSFiles(ca[0], pair.CertFile, pair.KeyFile)),
			read: access(func(a credentials.Credentials) string { return a.TLSFiles.CA }), fromCode: ca[0], fromEnv: ca[1], fromFlag: ca[2]},
		{flag: "registry_tls_cert", code: onEtcd(etcd.TLSFiles(ca[0], certs[0], pair.KeyFile)),
			read: access(func(a credentials.Credentials) string { return a.TLSFiles.Cert }), fromCode: certs[0], fromEnv: certs[1], fromFlag: certs[2]},
		{flag: "registry_tls_key", code: onEtcd(etcd.TLSFiles(ca[0], pair.CertFile, keys[0])),
			read: access(func(a credentials.Credentials) string { return a.TLSFiles.Key }), fromCode: keys[0], fromEnv: keys[1], fromFlag: keys[2]},
		{flag: "namespace", code: onEtcd(etcd.Namespace("a")),
			read: func(p *program) string {
				l, _ := settings.Of[layout.Layout](p.registry.Options().Context)
				return l.Namespace
			}, fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "registry_tls_server_name", code: onEtcd(registry.TLSConfig(&tls.Config{ServerName: "a"})),
			read: func(p *program) string {
				if c := p.registry.Options().TLSConfig; c != nil {
					return c.ServerName
				}
				return ""
			}, fromCode: "a", fromEnv: "b", fromFlag: "c"},
		{flag: "server_name", code: onServer(func() server.Option { return server.Name("code") }),
			read: srv(func(o server.Options) string { return o.Name }), fromCode: "code", fromEnv: "env", fromFlag: "flag", byDefault: "go.micro.server"},
		{flag: "server_version", code: onServer(func() server.Option { return server.Version("1") }),
			read: srv(func(o server.Options) string { return o.Version }), fromCode: "1", fromEnv: "2", fromFlag: "3", byDefault: "latest"},
		{flag: "server_id", code: onServer(func() server.Option { return server.Id("a") }),
			read: func(p *program) string { return strings.Replace(p.server.Options().Id, p.id, "its own", 1) }, fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: "its own"},
		{flag: "server_address", code: onServer(func() server.Option { return server.Address(":1") }),
			read: srv(func(o server.Options) string { return o.Address }), fromCode: ":1", fromEnv: ":2", fromFlag: "[::1]:3", byDefault: ":0"},
		{flag: "server_advertise", code: onServer(func() server.Option { return server.Advertise("a:1") }),
			read: srv(func(o server.Options) string { return o.Advertise }), fromCode: "a:1", fromEnv: "b:2", fromFlag: "c", byDefault: ""},
		{flag: "server_advertise_interface", code: onServer(func() server.Option { return server.AdvertiseInterface("a") }),
			read: srv(func(o server.Options) string { return o.AdvertiseInterface }), fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: ""},
		{flag: "server_advertise_cidr", code: onServer(func() server.Option { return server.AdvertiseCIDR("10.0.0.0/8") }),
			read: srv(func(o server.Options) string { return o.AdvertiseCIDR }), fromCode: "10.0.0.0/8", fromEnv: "10.1.0.0/16", fromFlag: "fd00::/8", byDefault: ""},
		{flag: "server_metadata", code: onServer(func() server.Option { return server.Metadata(map[string]string{"zone": "a"}) }),
			read: srv(func(o server.Options) string { return fmt.Sprint(o.Metadata) }), fromCode: "map[zone:a]", fromEnv: "map[rack: zone:b=c]", envText: " zone=b=c,rack\r\n",
			fromFlag: "map[zone:d]", flagText: "zone=d", byDefault: "map[]"},
		{flag: "server_concurrency_limit", code: onServer(func() server.Option { return server.ConcurrencyLimit(7) }),
			read: srv(func(o server.Options) string { return fmt.Sprint(o.ConcurrencyLimit) }), fromCode: "7", fromEnv: "8", fromFlag: "-1", flagText: "adaptive", byDefault: "0"},
		{flag: "register_ttl", code: onServer(func() server.Option { return server.RegisterTTL(time.Second) }),
			read: srv(func(o server.Options) string { return o.RegisterTTL.String() }), fromCode: "1s", fromEnv: "2s", envText: "2", fromFlag: "3s", flagText: "3", byDefault: "0s"},
		{flag: "register_interval", code: onServer(func() server.Option { return server.RegisterInterval(time.Second) }),
			read: srv(func(o server.Options) string { return o.RegisterInterval.String() }), fromCode: "1s", fromEnv: "2s", envText: "2", fromFlag: "3s", flagText: "3", byDefault: "0s"},
		{flag: "client_request_timeout", code: onClient(func() client.Option { return client.RequestTimeout(time.Second) }),
			read: cli(func(o client.Options) string { return o.CallOptions.RequestTimeout.String() }), fromCode: "1s", fromEnv: "2s", fromFlag: "300ms", byDefault: "5s"},
		{flag: "client_retries", code: onClient(func() client.Option { return client.Retries(7) }),
			read: cli(func(o client.Options) string { return fmt.Sprint(o.CallOptions.Retries) }), fromCode: "7", fromEnv: "8", fromFlag: "0", byDefault: "1"},
		{flag: "client_retry_budget", code: onClient(func() client.Option { return client.RetryBudget(7) }),
			read: cli(func(o client.Options) string { return fmt.Sprint(o.RetryBudget) }), fromCode: "7", fromEnv: "8", fromFlag: "-1", flagText: "off", byDefault: "20"},
		{flag: "client_pool_size", code: onClient(func() client.Option { return client.PoolSize(7) }),
			read: cli(func(o client.Options) string { return fmt.Sprint(o.PoolSize) }), fromCode: "7", fromEnv: "8", fromFlag: "9", byDefault: "4"},
		{flag: "client_pool_ttl", code: onClient(func() client.Option { return client.PoolTTL(time.Second) }),
			read: cli(func(o client.Options) string { return o.PoolTTL.String() }), fromCode: "1s", fromEnv: "2s", fromFlag: "3s", byDefault: "1m0s"},
		{flag: "client_balancer", code: onClient(func() client.Option { return client.SelectorOptions(selector.SetStrategy(selector.RoundRobin)) }),
			read: sel(func(o selector.Options) string { return selector.StrategyName(o.Strategy) }), fromCode: "roundrobin", fromEnv: "leastloaded", fromFlag: "random", byDefault: "random"},
		{flag: "client_zone", code: onClient(func() client.Option { return client.SelectorOptions(selector.Zone("a")) }),
			read: pol(func(p balance.Policy) string { return p.Zone }), fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: ""},
		{flag: "client_zone_threshold", code: onClient(func() client.Option { return client.SelectorOptions(selector.ZoneThreshold(7)) }),
			read: pol(func(p balance.Policy) string { return fmt.Sprint(p.Threshold()) }), fromCode: "7", fromEnv: "8", fromFlag: "0", byDefault: "50"},
		{flag: "client_subset", code: onClient(func() client.Option { return client.SelectorOptions(selector.Subset(7)) }),
			read: pol(func(p balance.Policy) string { return fmt.Sprint(p.Subset) }), fromCode: "7", fromEnv: "8", fromFlag: "9", byDefault: "0"},
		{flag: "client_warmup", code: onClient(func() client.Option { return client.SelectorOptions(selector.WarmUp(time.Second)) }),
			read: pol(func(p balance.Policy) string { return p.WarmUp.String() }), fromCode: "1s", fromEnv: "2s", fromFlag: "3s", byDefault: "0s"},
		{flag: "registry_address", code: func(p *program) error { p.registry = etcd.NewRegistry(addrs("a:1")); return nil },
			read: func(p *program) string { return fmt.Sprint(p.registry.Options().Addrs) }, fromCode: "[a:1]", fromEnv: "[b:2 c:3]", envText: "b:2, c:3",
			fromFlag: "[[::1]:4]", flagText: "[::1]:4", byDefault: "[]"},
		{flag: "broker", code: func(p *program) error { p.broker = brokermemory.NewBroker(); return nil },
			read: func(p *program) string { return p.broker.String() }, fromCode: "memory", fromEnv: "http", fromFlag: "nats", byDefault: "memory"},
		{flag: "broker_address", code: func(p *program) error { return p.broker.Init(broker.Addrs("a:1")) },
			read: func(p *program) string { return strings.Join(p.broker.Options().Addrs, "|") }, fromCode: "a:1", fromEnv: "b:1|b:2", envText: "b:1, b:2", fromFlag: "c:1"},
		{flag: "registry_snapshot", code: func(p *program) error { return p.registry.Init(registry.Snapshot("a")) },
			read: func(p *program) string { return p.registry.Options().Snapshot }, fromCode: "a", fromEnv: "b", fromFlag: "c", byDefault: ""},
		{flag: "registry", code: func(p *program) error { p.registry = etcd.NewRegistry(addrs("a:1")); return nil },
			read: func(p *program) string { return p.registry.String() }, fromCode: "etcd", fromEnv: "memory", fromFlag: "etcd", byDefault: "memory"},
	}
}

func TestFlagBeforeVariableBeforeCodeBeforeDefault(t *testing.T) {
	for _, k := range knobs(t) {
		t.Run(k.flag, func(t *testing.T) {
			env := "MICRO_" + strings.ToUpper(k.flag)
			envText, flagText := k.envText, k.flagText
			if envText == "" {
				envText = k.fromEnv
			}
			if flagText == "" {
				flagText = k.fromFlag
			}
			for _, tc := range []struct {
				name, env string
				code      bool
				args      []string
				want      string
			}{
				{"nothing", "", false, nil, k.byDefault},
				{"code", "", true, nil, k.fromCode},
				{"variable", envText, true, nil, k.fromEnv},
				{"flag with =", envText, true, []string{"--" + k.flag + "=" + flagText}, k.fromFlag},
				{"flag with a blank", envText, true, []string{"--" + k.flag, flagText}, k.fromFlag},
				{"flag with one dash", envText, true, []string{"-" + k.flag, flagText}, k.fromFlag},
				{"empty flag before the variable", envText, true, []string{"--" + k.flag + "="}, k.fromEnv},
				{"empty flag", "", true, []string{"--" + k.flag + "="}, k.fromCode},
				{"blank variable", " ", true, nil, k.fromCode},
			} {
				t.Run(tc.name, func(t *testing.T) {
					t.Setenv(env, tc.env)
					p := newProgram()
					if tc.code {
						if err := k.code(p); err != nil {
							t.Fatal(err)
						}
					} else if k.flag == "registry_address" {
						p.registry = etcd.NewRegistry()
					}
					if err := p.run(t, tc.args...); err != nil || len(p.exited) > 0 {
						t.Fatalf("Init: %v, exited with %v: %s", err, p.exited, p.stderr)
					}
					if got := k.read(p); got != tc.want {
						t.Errorf("got %s, want %s", got, tc.want)
					}
				})
			}
		})
	}
}

func TestThePodsAddress(t *testing.T) {
	for _, tc := range []struct {
		name string
		code []server.Option
		args []string
		want string
	}{
		{"is registered", nil, nil, "10.2.3.4"},
		{"not in place of what the code registers", []server.Option{server.Advertise("a:1")}, nil, "a:1"},
		{"not in place of what a flag says", nil, []string{"--server_advertise=b:1"}, "b:1"},
		{"not where another interface is wanted", nil, []string{"--server_advertise_interface=eth1"}, ""},
		{"not where nobody listens on it", []server.Option{server.Address("127.0.0.1:0")}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("POD_IP", "10.2.3.4")
			p := newProgram()
			if err := p.server.Init(tc.code...); err != nil {
				t.Fatal(err)
			}
			if err := p.run(t, tc.args...); err != nil {
				t.Fatal(err)
			}
			if got := p.server.Options().Advertise; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestEveryFlagIsTested keeps the table above whole.
func TestEveryFlagIsTested(t *testing.T) {
	tested := map[string]bool{"server": true, "client": true, // there is one of each
		"transport": true, "transport_address": true, "selector": true, // TestTransportsAndSelectorsOfTheHouse
		"tracer": true, "profile": true} // TestTracerAndProfileAreChosen
	for _, k := range knobs(t) {
		tested[k.flag] = true
	}
	for _, f := range DefaultFlags {
		if !tested[f.Names()[0]] {
			t.Errorf("--%s is not in the table of knobs", f.Names()[0])
		}
	}
}

func TestTheRegistryReachesServerAndClient(t *testing.T) {
	p := newProgram()
	if err := p.run(t, "--registry=etcd", "--registry_address", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if p.registry.String() != "etcd" || p.server.Options().Registry != p.registry || p.client.Options().Registry != p.registry {
		t.Errorf("the registry is %s, the server's %s, the client's %s", p.registry, p.server.Options().Registry, p.client.Options().Registry)
	}
}

func TestTheRegistryOfTheCodeKeepsItsSettings(t *testing.T) {
	p := newProgram()
	own := etcd.NewRegistry(addrs("a:1"), etcd.Auth("alice", "secret"))
	p.registry = own
	if err := p.run(t, "--registry=etcd", "--registry_address=b:2"); err != nil {
		t.Fatal(err)
	}
	if p.registry != own || p.registry.Options().Context == nil || p.registry.Options().Addrs[0] != "b:2" {
		t.Errorf("the registry was replaced, or lost its settings: %+v", p.registry.Options())
	}
}
