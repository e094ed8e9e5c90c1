package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/provider"
	"github.com/rollcall-go/micro/internal/authcall"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/server"
)

// DefaultAuths and DefaultAuthProviders are what can be chosen by name. A program may add
// its own before Init.
var (
	DefaultAuths         = builtin.Map(builtin.Auths())
	DefaultAuthProviders = builtin.Map(builtin.AuthProviders())
)

// Auth says where the auth is.
func Auth(a *auth.Auth) Option { return func(o *Options) { o.Auth = a } }

// NewAuth adds an auth that can be chosen by name.
func NewAuth(name string, a func(...auth.Option) auth.Auth) Option {
	return func(o *Options) { o.Auths = with(o.Auths, name, a) }
}

func authPart() part {
	flag := func(name, variable, byDefault, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, EnvVars: []string{variable}, DefaultText: byDefault, Usage: usage, Category: "Auth"}
	}
	return part{
		flags: []cli.Flag{
			flag("auth", "MICRO_AUTH", "the program's own, or noop", "what judges the calls that arrive: "+builtin.Choices(builtin.Auths())),
			flag("auth_namespace", "MICRO_AUTH_NAMESPACE", "the program's own, or go.micro", "issuer of the accounts that are let in"),
			flag("auth_public_key", "MICRO_AUTH_PUBLIC_KEY", "none", "keys to judge tokens by: PEM in base64"),
			flag("auth_public_key_file", "MICRO_AUTH_PUBLIC_KEY_FILE", "none", "file of PEM with these keys, read again when it changes"),
			flag("auth_private_key", "MICRO_AUTH_PRIVATE_KEY", "none", "key to sign tokens with: PEM in base64"),
			flag("auth_private_key_file", "MICRO_AUTH_PRIVATE_KEY_FILE", "none", "file of PEM with this key, read again when it changes"),
			flag("auth_id", "MICRO_AUTH_ID", "an account made at the first call", "account of this service, for the token that its calls show"),
			flag("auth_secret", "MICRO_AUTH_SECRET", "none", "secret of this account"),
			flag("auth_provider", "MICRO_AUTH_PROVIDER", "basic", "where users log in: "+builtin.Choices(builtin.AuthProviders())),
			flag("auth_provider_client_id", "MICRO_AUTH_PROVIDER_CLIENT_ID", "none", "who this program is to the provider"),
			flag("auth_provider_client_secret", "MICRO_AUTH_PROVIDER_CLIENT_SECRET", "none", "secret of this program at the provider"),
			flag("auth_provider_endpoint", "MICRO_AUTH_PROVIDER_ENDPOINT", "none", "URL of the provider"),
			flag("auth_provider_redirect", "MICRO_AUTH_PROVIDER_REDIRECT", "none", "URL that users come back to"),
			flag("auth_provider_scope", "MICRO_AUTH_PROVIDER_SCOPE", "none", "what the provider is asked for"),
		},
		apply: applyAuth,
	}
}

// applyAuth puts the auth in place that was named, and sets it up as given.
func applyAuth(in *input, g *given, to Options) (replaced bool, err error) {
	at := to.Auth
	if at == nil {
		at = &auth.DefaultAuth
	}
	constructors := merged(DefaultAuths, to.Auths)
	name := choice(in, "auth", nameOf(at), builtin.Auths(), constructors)
	opts, first := authOptions(in, (*at).Options().Provider)
	if in.err != nil || name == "" && len(opts) == 0 {
		return false, in.err
	}
	switch {
	case name != "" && name != nameOf(at):
		*at = constructors[name](opts...)
	case len(opts) > 0:
		(*at).Init(opts...)
	}
	if !authcall.Judges(*at) && first != "" {
		tellOnce(in.source(first), "nobody is asked for a token; choose what judges them, as with --auth=jwt")
	} else if o := (*at).Options(); (o.ID == "") != (o.Secret == "") {
		return false, fmt.Errorf("set up the auth %s: want both of --auth_id and --auth_secret", *at)
	}
	if c, ok := (*at).(interface{ Err() error }); ok && c.Err() != nil {
		return false, fmt.Errorf("set up the auth %s: %w", *at, c.Err())
	}
	g.toServer = append(g.toServer, server.Auth(*at))
	return false, nil
}

// authOptions returns what was given for the auth, and the first flag of it.
func authOptions(in *input, present provider.Provider) (opts []auth.Option, first string) {
	text := func(name string) (string, bool) {
		v, ok := in.text(name)
		if ok && first == "" {
			first = name
		}
		return v, ok
	}
	for _, o := range []struct {
		flag string
		make func(string) auth.Option
	}{
		{"auth_namespace", auth.Namespace},
		{"auth_public_key", auth.PublicKey},
		{"auth_public_key_file", auth.PublicKeyFile},
		{"auth_private_key", auth.PrivateKey},
		{"auth_private_key_file", auth.PrivateKeyFile},
		{"auth_id", func(id string) auth.Option { return func(o *auth.Options) { o.ID = id } }},
		{"auth_secret", func(secret string) auth.Option { return func(o *auth.Options) { o.Secret = secret } }},
	} {
		if v, ok := text(o.flag); ok {
			opts = append(opts, o.make(v))
		}
	}
	if p := authProvider(in, text, present); p != nil {
		opts = append(opts, auth.Provider(p))
	}
	return opts, first
}

// authProvider returns the provider that was named, or the present one, with what was given
// for it; nil if nothing was.
func authProvider(in *input, text func(string) (string, bool), present provider.Provider) provider.Provider {
	var options provider.Options
	var name string
	if present != nil {
		options, name = present.Options(), present.String()
	}
	named, ok := text("auth_provider")
	if ok && named != name {
		options, name = provider.Options{}, choice(in, "auth_provider", name, builtin.AuthProviders(), DefaultAuthProviders)
	}
	for _, o := range []struct {
		flag string
		at   *string
	}{
		{"auth_provider_client_id", &options.ClientID},
		{"auth_provider_client_secret", &options.ClientSecret},
		{"auth_provider_endpoint", &options.Endpoint},
		{"auth_provider_redirect", &options.Redirect},
		{"auth_provider_scope", &options.Scope},
	} {
		if v, given := text(o.flag); given {
			*o.at, ok = v, true
		}
	}
	construct := DefaultAuthProviders[name]
	if !ok || construct == nil || in.err != nil {
		return nil
	}
	return construct(func(o *provider.Options) { *o = options })
}
