// Package token makes the tokens that stand for accounts, and tells whose they are.
package token

import (
	"errors"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/store"
)

var (
	// ErrNotFound is for providers that keep tokens, and do not have one.
	ErrNotFound = errors.New("token not found")
	// ErrEncodingToken is returned, wrapped, by Generate without a key to sign with.
	ErrEncodingToken = errors.New("error encoding the token")
	// ErrInvalidToken is returned, as it is or wrapped, by Inspect.
	ErrInvalidToken = errors.New("invalid token provided")
)

// Provider makes tokens. Its methods may be called by several goroutines at once.
type Provider interface {
	// Generate makes a token for an account.
	Generate(account *auth.Account, opts ...GenerateOption) (*Token, error)
	// Inspect returns the account that a token is for.
	Inspect(token string) (*auth.Account, error)
	// String returns the name of the implementation.
	String() string
}

// Token is a token, and how long it is valid.
type Token struct {
	Token   string    `json:"token"`
	Created time.Time `json:"created"`
	Expiry  time.Time `json:"expiry"`
}

// Options are the settings of a Provider.
type Options struct {
	// Store keeps the tokens, for providers that do so.
	Store store.Store
	// PublicKey is what tokens are judged by, PrivateKey what they are signed with: PEM in
	// base64.
	PublicKey, PrivateKey string
	// PublicKeyFile and PrivateKeyFile are paths of files of PEM, which go before the keys
	// above. They are read again when they have changed.
	PublicKeyFile, PrivateKeyFile string
}

// Option changes Options.
type Option func(o *Options)

// NewOptions returns the options applied, with store.DefaultStore where they set no store.
func NewOptions(opts ...Option) Options {
	var options Options
	for _, o := range opts {
		o(&options)
	}
	if options.Store == nil {
		options.Store = store.DefaultStore
	}
	return options
}

// WithStore sets what keeps the tokens.
func WithStore(s store.Store) Option { return func(o *Options) { o.Store = s } }

// WithPublicKey sets the keys that tokens are judged by: PEM in base64.
func WithPublicKey(key string) Option { return func(o *Options) { o.PublicKey = key } }

// WithPrivateKey sets the key that tokens are signed with: PEM in base64.
func WithPrivateKey(key string) Option { return func(o *Options) { o.PrivateKey = key } }

// WithPublicKeyFile names a file of PEM with the keys that tokens are judged by.
func WithPublicKeyFile(path string) Option { return func(o *Options) { o.PublicKeyFile = path } }

// WithPrivateKeyFile names a file of PEM with the key that tokens are signed with.
func WithPrivateKeyFile(path string) Option { return func(o *Options) { o.PrivateKeyFile = path } }

// GenerateOptions are those of one Generate.
type GenerateOptions struct {
	Expiry time.Duration // how long the token is to be valid
}

// GenerateOption changes GenerateOptions.
type GenerateOption func(o *GenerateOptions)

// WithExpiry sets how long the token is to be valid.
func WithExpiry(d time.Duration) GenerateOption { return func(o *GenerateOptions) { o.Expiry = d } }

// NewGenerateOptions returns the options applied, with an Expiry of 15 minutes where they
// set none.
func NewGenerateOptions(opts ...GenerateOption) GenerateOptions {
	var options GenerateOptions
	for _, o := range opts {
		o(&options)
	}
	if options.Expiry == 0 {
		options.Expiry = 15 * time.Minute
	}
	return options
}
