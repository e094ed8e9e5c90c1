// Package provider says where users log in that are known elsewhere, as with OAuth.
package provider

import "time"

// Provider is such a place. What users bring back from it, a program checks itself.
type Provider interface {
	// String returns the name of the implementation.
	String() string
	// Options returns what the provider was made with.
	Options() Options
	// Endpoint returns the URL that a user is sent to, "" if there is none.
	Endpoint(...EndpointOption) string
	// Redirect returns the URL that a user comes back to.
	Redirect() string
}

// Grant is what somebody was allowed by a provider.
type Grant struct {
	Token  string // to be shown to the provider
	Expiry time.Time
	Scopes []string
}

// Options are the settings of a Provider.
type Options struct {
	ClientID     string // who this program is to the provider
	ClientSecret string
	Endpoint     string // the provider's URL
	Redirect     string // the URL that users come back to
	Scope        string // what is asked for
}

// Option changes Options.
type Option func(*Options)

// Credentials sets who this program is to the provider.
func Credentials(id, secret string) Option {
	return func(o *Options) { o.ClientID, o.ClientSecret = id, secret }
}

// Endpoint sets the provider's URL.
func Endpoint(e string) Option { return func(o *Options) { o.Endpoint = e } }

// Redirect sets the URL that users come back to.
func Redirect(r string) Option { return func(o *Options) { o.Redirect = r } }

// Scope sets what is asked for.
func Scope(s string) Option { return func(o *Options) { o.Scope = s } }

// EndpointOptions are what the URL for one user says.
type EndpointOptions struct {
	State     string // comes back with the user; whoever checks it knows whom they sent
	LoginHint string // the user's name, for the form
}

// EndpointOption changes EndpointOptions.
type EndpointOption func(*EndpointOptions)

// WithState sets what comes back with the user.
func WithState(c string) EndpointOption { return func(o *EndpointOptions) { o.State = c } }

// WithLoginHint sets the user's name.
func WithLoginHint(hint string) EndpointOption {
	return func(o *EndpointOptions) { o.LoginHint = hint }
}
