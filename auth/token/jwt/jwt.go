// Package jwt makes tokens that say themselves whose they are: JSON Web Tokens (RFC 7519),
// signed with RS256. They are those of go-micro v2: the claims sub, iss and exp are the ID,
// the issuer and the end, and type, scopes and metadata are the account's.
//
// A token is valid that is signed by one of the public keys, and ends. Any other
// algorithm is refused, as is a token that is not valid yet (nbf). A key has a name, its
// thumbprint (RFC 7638), which new tokens give as their kid; the kid of a token says only
// which key to try first.
package jwt

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/token"
	"github.com/rollcall-go/micro/logger"
)

// maxSize bounds a token, which comes from whoever calls.
const maxSize = 16 << 10

type claims struct {
	Type     string            `json:"type"`
	Scopes   []string          `json:"scopes"`
	Metadata map[string]string `json:"metadata"`
	jwt.RegisteredClaims
}

// JWT is a token.Provider that signs.
type JWT struct {
	public  keys[[]publicKey]
	private keys[*privateKey]
	parser  *jwt.Parser
}

var _ token.Provider = (*JWT)(nil)

// NewTokenProvider returns a provider with the keys of the options. A key that cannot be
// used is an error of the method that needs it. To inspect tokens, a provider needs public
// keys alone; one that has a private key and was given no public key judges by that.
func NewTokenProvider(opts ...token.Option) token.Provider {
	o := token.NewOptions(opts...)
	warn := func(text string) { logger.Logf(logger.WarnLevel, "Auth [jwt] %s", text) }
	return &JWT{
		public:  publicKeys(o, warn),
		private: privateKeys(o, warn),
		parser:  jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithExpirationRequired()),
	}
}

// Generate signs a token for an account. Whoever has it can read what is in it.
func (j *JWT) Generate(acc *auth.Account, opts ...token.GenerateOption) (*token.Token, error) {
	o := token.NewGenerateOptions(opts...)
	key, err := j.private.get()
	if err != nil {
		return nil, fmt.Errorf("make a token: %w: %w", token.ErrEncodingToken, err)
	}
	now := time.Now()
	expiry := now.Add(o.Expiry)
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		Type: acc.Type, Scopes: acc.Scopes, Metadata: acc.Metadata,
		RegisteredClaims: jwt.RegisteredClaims{Subject: acc.ID, Issuer: acc.Issuer, ExpiresAt: jwt.NewNumericDate(expiry)},
	})
	t.Header["kid"] = key.id
	text, err := t.SignedString(key.key)
	if err != nil {
		return nil, fmt.Errorf("make a token: %w: %w", token.ErrEncodingToken, err)
	}
	return &token.Token{Token: text, Created: now, Expiry: expiry}, nil
}

// Inspect returns the account that a token says. For a token that is not valid it returns
// token.ErrInvalidToken as it is: whoever calls is told no more.
func (j *JWT) Inspect(t string) (*auth.Account, error) {
	all, err := j.public.get()
	if err != nil {
		return nil, fmt.Errorf("inspect a token: %w", err)
	}
	if len(t) > maxSize {
		return nil, token.ErrInvalidToken
	}
	said := &claims{}
	if _, err := j.parser.ParseWithClaims(t, said, func(t *jwt.Token) (any, error) { return candidates(all, t.Header["kid"]), nil }); err != nil {
		return nil, token.ErrInvalidToken
	}
	return &auth.Account{ID: said.Subject, Issuer: said.Issuer, Type: said.Type, Scopes: said.Scopes, Metadata: said.Metadata}, nil
}

// candidates returns the key that kid names, or all if it names none.
func candidates(all []publicKey, kid any) jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, k := range all {
		if k.id == kid {
			return jwt.VerificationKeySet{Keys: []jwt.VerificationKey{k.key}}
		}
		set.Keys = append(set.Keys, k.key)
	}
	return set
}

// Err returns what is wrong with a key that was given, nil if nothing is or none was. It
// reads the files.
func (j *JWT) Err() error {
	_, public := j.public.get()
	_, private := j.private.get()
	for _, err := range []error{public, private} {
		if err != nil && !errors.Is(err, errNoKey) {
			return err
		}
	}
	return nil
}

// String returns "jwt".
func (j *JWT) String() string { return "jwt" }
