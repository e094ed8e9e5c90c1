// Package auth says who calls, and whether they may.
//
// A caller shows a token, in the header Authorization as "Bearer TOKEN". The service has
// its Auth look into the token: what comes of it is an Account, which a handler finds in
// its context. Rules say which accounts may use which endpoints.
//
//	service := micro.NewService(
//		micro.Name("go.micro.service.notes"),
//		micro.Auth(jwt.NewAuth(auth.PublicKey(key))),
//	)
//
//	func (n *Notes) Create(ctx context.Context, req *pb.Request, rsp *pb.Response) error {
//		account, ok := auth.AccountFromContext(ctx)
//		...
//	}
//
// The default, noop, lets everybody do everything and knows nobody.
package auth

import (
	"context"
	"errors"
	"time"
)

const (
	// BearerScheme begins the value of the header Authorization, before the token.
	BearerScheme = "Bearer "
	// ScopePublic is the scope of a rule for everybody, also for callers without an account.
	ScopePublic = ""
	// ScopeAccount is the scope of a rule for everybody who has an account.
	ScopeAccount = "*"
	// DefaultNamespace is the namespace of services that are told no other.
	DefaultNamespace = "go.micro"
)

var (
	// ErrInvalidToken is returned for a token that says of nobody who they are.
	ErrInvalidToken = errors.New("invalid token provided")
	// ErrForbidden is returned by Verify for an account that may not.
	ErrForbidden = errors.New("resource forbidden")
)

// Auth makes accounts and tokens, and judges them. Its methods may be called by several
// goroutines at once.
type Auth interface {
	// Init applies options. What is wrong with them is returned by the method that needs
	// them.
	Init(opts ...Option)
	// Options returns the options in force.
	Options() Options
	// Generate makes an account with a secret, for which Token gives tokens.
	Generate(id string, opts ...GenerateOption) (*Account, error)
	// Verify returns nil if the account, nil for a caller without one, may use the
	// resource, else ErrForbidden.
	Verify(acc *Account, res *Resource, opts ...VerifyOption) error
	// Inspect returns the account that a token is for.
	Inspect(token string) (*Account, error)
	// Token makes a token, for a refresh token or the credentials of an account.
	Token(opts ...TokenOption) (*Token, error)
	// Grant adds a rule.
	Grant(rule *Rule) error
	// Revoke removes the rules that have the ID of the given one.
	Revoke(rule *Rule) error
	// Rules returns the rules. The slice is the caller's, the rules are not.
	Rules(...RulesOption) ([]*Rule, error)
	// String returns the name of the implementation.
	String() string
}

// Account is somebody who calls: a user, or a service.
type Account struct {
	ID       string            `json:"id"`
	Type     string            `json:"type"`     // "user" or "service", say
	Issuer   string            `json:"issuer"`   // the namespace that made it
	Metadata map[string]string `json:"metadata"` // whatever else is known
	Scopes   []string          `json:"scopes"`   // what rules ask for
	Secret   string            `json:"secret"`   // what Token takes for it; empty in what Inspect returns
}

// Token is what a caller shows, for a time.
type Token struct {
	AccessToken  string    `json:"access_token"`  // what is shown
	RefreshToken string    `json:"refresh_token"` // what Token takes for the next one
	Created      time.Time `json:"created"`
	Expiry       time.Time `json:"expiry"`
}

// Expired reports whether the token is of no more use. Both times are taken in whole
// seconds, as tokens say them.
func (t *Token) Expired() bool { return t.Expiry.Unix() < time.Now().Unix() }

// Resource is what an account wants to use.
type Resource struct {
	Name     string `json:"name"`     // of a service, go.micro.service.notes say
	Type     string `json:"type"`     // "service" for calls
	Endpoint string `json:"endpoint"` // Notes.Create, or a path
}

// Access says what a rule does.
type Access int

const (
	// AccessGranted lets who it is for use the resource.
	AccessGranted Access = iota
	// AccessDenied keeps them from it.
	AccessDenied
)

// Rule says who may, or may not, use a resource. Package auth/rules says how several are
// read together.
type Rule struct {
	ID       string    // for Revoke
	Scope    string    // that accounts need: one of theirs, ScopePublic or ScopeAccount
	Resource *Resource // "*" in a field stands for everything
	Access   Access
	Priority int32 // of the rules that are for a resource, the highest is read first
}

type accountKey struct{}

// AccountFromContext returns the account of who calls. It reports false where there is
// none: for a call without a token, or with one that is not valid and a rule for everybody.
func AccountFromContext(ctx context.Context) (*Account, bool) {
	acc, ok := ctx.Value(accountKey{}).(*Account)
	return acc, ok
}

// ContextWithAccount returns ctx with the account in it.
func ContextWithAccount(ctx context.Context, account *Account) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}
