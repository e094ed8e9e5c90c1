// Package jwt is an Auth whose accounts stand in the tokens themselves: JSON Web Tokens, as
// package token/jwt makes and judges them. It asks nobody. Its rules are those that the
// program grants; without any, nobody may do anything.
//
// To judge tokens, a service needs auth.PublicKey or auth.PublicKeyFile. One that also has a
// private key can make accounts and tokens, and shows a token of its own when it calls
// others.
package jwt

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/rules"
	"github.com/rollcall-go/micro/auth/token"
	jwttoken "github.com/rollcall-go/micro/auth/token/jwt"
	"github.com/rollcall-go/micro/logger"
)

// refreshTime is how much longer than a token its refresh token is valid.
const refreshTime = time.Hour

type jwt struct {
	mu      sync.RWMutex
	options auth.Options
	keys    token.Options // of tokens
	tokens  *jwttoken.JWT
	rules   []*auth.Rule // replaced, never changed
	idle    sync.Once    // says that there are none
}

// NewAuth returns an Auth that judges by the keys of the options. A key that cannot be used
// is an error of the methods that need it.
func NewAuth(opts ...auth.Option) auth.Auth {
	j := &jwt{tokens: jwttoken.NewTokenProvider().(*jwttoken.JWT)}
	j.Init(opts...)
	return j
}

func (j *jwt) Init(opts ...auth.Option) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range opts {
		o(&j.options)
	}
	keys := token.Options{
		PublicKey: j.options.PublicKey, PrivateKey: j.options.PrivateKey,
		PublicKeyFile: j.options.PublicKeyFile, PrivateKeyFile: j.options.PrivateKeyFile,
	}
	if keys != j.keys { // parsing takes its time, and files that cannot be used now stand for what they were
		j.keys = keys
		j.tokens = jwttoken.NewTokenProvider(
			token.WithPublicKey(keys.PublicKey), token.WithPrivateKey(keys.PrivateKey),
			token.WithPublicKeyFile(keys.PublicKeyFile), token.WithPrivateKeyFile(keys.PrivateKeyFile),
		).(*jwttoken.JWT)
	}
}

func (j *jwt) Options() auth.Options {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.options
}

func (j *jwt) provider() *jwttoken.JWT {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.tokens
}

// Generate makes an account that nobody keeps. Its Secret is a token, which Token takes for
// 15 minutes; auth.WithSecret is not heeded.
func (j *jwt) Generate(id string, opts ...auth.GenerateOption) (*auth.Account, error) {
	o := auth.NewGenerateOptions(opts...)
	acc := &auth.Account{ID: id, Type: o.Type, Scopes: o.Scopes, Metadata: o.Metadata, Issuer: j.Options().Namespace}
	secret, err := j.provider().Generate(acc)
	if err != nil {
		return nil, fmt.Errorf("make the account %q: %w", id, err)
	}
	acc.Secret = secret.Token
	return acc, nil
}

// Token makes a token, and one to refresh it with that is valid for an hour longer, for any
// token that is valid: the secret of an account, or a refresh token.
func (j *jwt) Token(opts ...auth.TokenOption) (*auth.Token, error) {
	o := auth.NewTokenOptions(opts...)
	tokens := j.provider()
	acc, err := tokens.Inspect(cmp.Or(o.Secret, o.RefreshToken))
	if err != nil {
		return nil, err
	}
	access, err := tokens.Generate(acc, token.WithExpiry(o.Expiry))
	if err != nil {
		return nil, err
	}
	refresh, err := tokens.Generate(acc, token.WithExpiry(o.Expiry+refreshTime))
	if err != nil {
		return nil, err
	}
	return &auth.Token{AccessToken: access.Token, RefreshToken: refresh.Token, Created: access.Created, Expiry: access.Expiry}, nil
}

func (j *jwt) Inspect(t string) (*auth.Account, error) { return j.provider().Inspect(t) }

func (j *jwt) Verify(acc *auth.Account, res *auth.Resource, _ ...auth.VerifyOption) error {
	j.mu.RLock()
	all := j.rules
	j.mu.RUnlock()
	if len(all) == 0 {
		j.idle.Do(func() {
			logger.Warnf("Auth [jwt] Refuses every call: no rule was granted, as by service.Options().Auth.Grant")
		})
	}
	return rules.Verify(all, acc, res)
}

// Grant adds a rule, which must not be changed after that.
func (j *jwt) Grant(rule *auth.Rule) error {
	if rule == nil || rule.Resource == nil {
		return fmt.Errorf("grant a rule: it is for no resource")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rules = append(slices.Clip(j.rules), rule)
	return nil
}

func (j *jwt) Revoke(rule *auth.Rule) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rules = slices.DeleteFunc(slices.Clone(j.rules), func(r *auth.Rule) bool { return rule != nil && r.ID == rule.ID })
	return nil
}

func (j *jwt) Rules(...auth.RulesOption) ([]*auth.Rule, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.rules), nil
}

// Err returns what is wrong with a key that was given, nil if nothing is or none was.
func (j *jwt) Err() error { return j.provider().Err() }

func (j *jwt) String() string { return "jwt" }
