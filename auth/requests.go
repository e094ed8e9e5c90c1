package auth

import (
	"context"
	"time"
)

// GenerateOptions say what an account is made of.
type GenerateOptions struct {
	Metadata map[string]string // whatever is known of it
	Scopes   []string          // what rules ask for
	Provider string            // where it logs in
	Type     string            // "user" or "service", say
	Secret   string            // its password, for implementations that keep one
}

// GenerateOption changes GenerateOptions.
type GenerateOption func(o *GenerateOptions)

// NewGenerateOptions returns the options applied.
func NewGenerateOptions(opts ...GenerateOption) GenerateOptions {
	var options GenerateOptions
	for _, o := range opts {
		o(&options)
	}
	return options
}

// WithSecret sets the password of the account.
func WithSecret(s string) GenerateOption { return func(o *GenerateOptions) { o.Secret = s } }

// WithType sets what the account is.
func WithType(t string) GenerateOption { return func(o *GenerateOptions) { o.Type = t } }

// WithMetadata sets what else is known of the account.
func WithMetadata(md map[string]string) GenerateOption {
	return func(o *GenerateOptions) { o.Metadata = md }
}

// WithProvider sets where the account logs in.
func WithProvider(p string) GenerateOption { return func(o *GenerateOptions) { o.Provider = p } }

// WithScopes sets what rules may ask of the account.
func WithScopes(s ...string) GenerateOption { return func(o *GenerateOptions) { o.Scopes = s } }

// TokenOptions say for what a token is wanted.
type TokenOptions struct {
	ID, Secret   string        // of an account
	RefreshToken string        // in their place
	Expiry       time.Duration // how long the token is to be valid
}

// TokenOption changes TokenOptions.
type TokenOption func(o *TokenOptions)

// NewTokenOptions returns the options applied, with an Expiry of one minute where they set
// none.
func NewTokenOptions(opts ...TokenOption) TokenOptions {
	var options TokenOptions
	for _, o := range opts {
		o(&options)
	}
	if options.Expiry == 0 {
		options.Expiry = time.Minute
	}
	return options
}

// WithExpiry sets how long the token is to be valid.
func WithExpiry(ex time.Duration) TokenOption { return func(o *TokenOptions) { o.Expiry = ex } }

// WithCredentials asks for the token of an account.
func WithCredentials(id, secret string) TokenOption {
	return func(o *TokenOptions) { o.ID, o.Secret = id, secret }
}

// WithToken asks for a token in exchange for a refresh token.
func WithToken(rt string) TokenOption { return func(o *TokenOptions) { o.RefreshToken = rt } }

// VerifyOptions are those of one Verify.
type VerifyOptions struct{ Context context.Context }

// VerifyOption changes VerifyOptions.
type VerifyOption func(o *VerifyOptions)

// VerifyContext hands Verify the context of the call that it judges.
func VerifyContext(ctx context.Context) VerifyOption {
	return func(o *VerifyOptions) { o.Context = ctx }
}

// RulesOptions are those of one Rules.
type RulesOptions struct{ Context context.Context }

// RulesOption changes RulesOptions.
type RulesOption func(o *RulesOptions)

// RulesContext hands Rules the context that it may wait in.
func RulesContext(ctx context.Context) RulesOption {
	return func(o *RulesOptions) { o.Context = ctx }
}
