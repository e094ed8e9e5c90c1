package consul

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// ownSettings are the options of this backend alone, beside credentials.Credentials and those
// of v2's plugin. All travel as values in Options.Context.
type ownSettings struct {
	datacenter string
	strict     bool // AllowStale(false)
	connect    bool
	tcpCheck   time.Duration
}

// setting returns an option that changes one of the settings in T.
func setting[T any](change func(*T)) registry.Option {
	return func(o *registry.Options) {
		s, _ := settings.Of[T](o.Context)
		change(&s)
		o.Context = settings.With(o.Context, s)
	}
}

// Token makes the registry show Consul an ACL token. It takes service:write on the
// services that are registered, and service:read and node:read on those that are
// looked up. Without it the token of CONSUL_HTTP_TOKEN_FILE or CONSUL_HTTP_TOKEN is
// shown, if there is one.
func Token(token string) registry.Option {
	return setting(func(c *credentials.Credentials) { c.Token, c.TokenFile = token, "" })
}

// TokenFile is Token with the token in a file, which is read for each request, so
// that a token that is replaced there counts from then on.
func TokenFile(path string) registry.Option {
	return setting(func(c *credentials.Credentials) { c.Token, c.TokenFile = "", path })
}

// Auth makes the registry log in, by HTTP basic authentication, at what stands before
// the agent. Consul itself knows tokens alone.
func Auth(username, password string) registry.Option {
	return setting(func(c *credentials.Credentials) { c.Username, c.Password, c.PasswordFile = username, password, "" })
}

// TLSFiles switches TLS on with certificates in PEM files: those of the authorities
// that are trusted, and the one to show with its private key. Each may be empty, but
// cert and key come together. The files are read at each new connection.
func TLSFiles(ca, cert, key string) registry.Option {
	return setting(func(c *credentials.Credentials) { c.TLSFiles = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// Datacenter is where services are looked for. Without it that is the agent's own,
// where they are registered in any case.
func Datacenter(name string) registry.Option {
	return setting(func(s *ownSettings) { s.datacenter = name })
}

// AllowStale says whether any of Consul's servers may answer, also one that lags
// behind the leader. The default is true. It holds for GetService, ListServices and
// for what follows one service.
func AllowStale(v bool) registry.Option {
	return setting(func(s *ownSettings) { s.strict = !v })
}

// Connect registers services as native to Consul's mesh, and looks up such services
// alone.
func Connect() registry.Option {
	return setting(func(s *ownSettings) { s.connect = true })
}

// TCPCheck makes the agent of Consul connect to each registered node at that
// interval, in place of waiting to be told that the node lives: a node whose process
// stands still is listed then for as long as its host takes connections. An interval
// that is not positive changes nothing.
func TCPCheck(interval time.Duration) registry.Option {
	if interval <= 0 {
		return func(*registry.Options) {}
	}
	return setting(func(s *ownSettings) { s.tcpCheck = interval })
}

// ownOf returns the settings in ctx. Those that programs for v2's plugin put there by
// its own keys, which are plain strings, are obeyed too.
func ownOf(ctx context.Context) ownSettings {
	s, _ := settings.Of[ownSettings](ctx)
	if ctx == nil {
		return s
	}
	if v, ok := ctx.Value("consul_connect").(bool); ok {
		s.connect = s.connect || v
	}
	if v, ok := ctx.Value("consul_allow_stale").(bool); ok {
		s.strict = s.strict || !v
	}
	if v, ok := ctx.Value("consul_tcp_check").(time.Duration); ok && s.tcpCheck == 0 && v > 0 {
		s.tcpCheck = v
	}
	return s
}
