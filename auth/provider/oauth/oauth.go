// Package oauth is the provider of programs whose users log in by OAuth 2.0, with an
// authorization code (RFC 6749, section 4.1). It makes the URL that users are sent to; the
// code that they come back with, the program exchanges itself, by golang.org/x/oauth2 say.
package oauth

import (
	"net/url"
	"strings"

	"github.com/rollcall-go/micro/auth/provider"
)

type oauth struct{ options provider.Options }

// NewProvider returns a provider that sends users to provider.Endpoint.
func NewProvider(opts ...provider.Option) provider.Provider {
	p := &oauth{}
	for _, o := range opts {
		o(&p.options)
	}
	return p
}

func (p *oauth) String() string { return "oauth" }

func (p *oauth) Options() provider.Options { return p.options }

func (p *oauth) Redirect() string { return p.options.Redirect }

func (p *oauth) Endpoint(opts ...provider.EndpointOption) string {
	var o provider.EndpointOptions
	for _, opt := range opts {
		opt(&o)
	}
	query := url.Values{"response_type": {"code"}}
	for name, value := range map[string]string{
		"state": o.State, "login_hint": o.LoginHint, "client_id": p.options.ClientID, "scope": p.options.Scope, "redirect_uri": p.options.Redirect,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	separator := "?"
	if strings.Contains(p.options.Endpoint, "?") {
		separator = "&"
	}
	return p.options.Endpoint + separator + query.Encode()
}
