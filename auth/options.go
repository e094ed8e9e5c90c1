package auth

import (
	"github.com/rollcall-go/micro/auth/provider"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/store"
)

// Options are the settings of an Auth.
type Options struct {
	// Namespace is the issuer of the accounts that are made, and of those that are let in.
	Namespace string
	// ID and Secret are the credentials of this service, for its own token.
	ID, Secret string
	// Token is the token of this service, which its calls show.
	Token *Token
	// PublicKey is what tokens are judged by, PrivateKey what they are signed with: PEM in
	// base64. There may be several public keys, one behind the other in the PEM.
	PublicKey, PrivateKey string
	// PublicKeyFile and PrivateKeyFile are paths of files of PEM, which go before the keys
	// above. They are read again when they have changed.
	PublicKeyFile, PrivateKeyFile string
	// Provider is where users log in. May be nil.
	Provider provider.Provider
	// LoginURL is the path of the page at which users log in.
	LoginURL string
	// Store keeps accounts and rules, for implementations that do so.
	Store store.Store
	// Client calls a service, for implementations that do so.
	Client client.Client
	// Addrs are the addresses of such a service.
	Addrs []string
}

// Option changes Options.
type Option func(o *Options)

// NewOptions returns the options applied, with client.DefaultClient where they set no
// client. It is for implementations of Auth.
func NewOptions(opts ...Option) Options {
	var options Options
	for _, o := range opts {
		o(&options)
	}
	if options.Client == nil {
		options.Client = client.DefaultClient
	}
	return options
}

// Addrs sets the addresses of the service that judges.
func Addrs(addrs ...string) Option { return func(o *Options) { o.Addrs = addrs } }

// Namespace sets the issuer of accounts.
func Namespace(n string) Option { return func(o *Options) { o.Namespace = n } }

// Store sets what keeps accounts and rules.
func Store(s store.Store) Option { return func(o *Options) { o.Store = s } }

// PublicKey sets the keys that tokens are judged by: PEM in base64.
func PublicKey(key string) Option { return func(o *Options) { o.PublicKey = key } }

// PrivateKey sets the key that tokens are signed with: PEM in base64.
func PrivateKey(key string) Option { return func(o *Options) { o.PrivateKey = key } }

// PublicKeyFile names a file of PEM with the keys that tokens are judged by.
func PublicKeyFile(path string) Option { return func(o *Options) { o.PublicKeyFile = path } }

// PrivateKeyFile names a file of PEM with the key that tokens are signed with.
func PrivateKeyFile(path string) Option { return func(o *Options) { o.PrivateKeyFile = path } }

// Credentials sets those of this service.
func Credentials(id, secret string) Option {
	return func(o *Options) { o.ID, o.Secret = id, secret }
}

// ClientToken sets the token that the calls of this service show.
func ClientToken(token *Token) Option { return func(o *Options) { o.Token = token } }

// Provider sets where users log in.
func Provider(p provider.Provider) Option { return func(o *Options) { o.Provider = p } }

// LoginURL sets the path of the page at which users log in.
func LoginURL(url string) Option { return func(o *Options) { o.LoginURL = url } }

// WithClient sets what calls the service that judges.
func WithClient(c client.Client) Option { return func(o *Options) { o.Client = c } }
