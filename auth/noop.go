package auth

import (
	"sync"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/auth/provider/basic"
)

// DefaultAuth is what servers are given that choose no other. It belongs to the program; set
// it before the first service is made.
var DefaultAuth = NewAuth()

// NewAuth returns the Auth noop: whoever asks is let in, every token is somebody's, and no
// rule is kept. A service that has it does not look at tokens at all.
func NewAuth(opts ...Option) Auth {
	n := &noop{options: Options{Provider: basic.NewProvider()}}
	n.Init(opts...)
	return n
}

type noop struct {
	mu      sync.RWMutex
	options Options
}

// AdmitsEveryone reports that nothing comes of asking this Auth, so that nobody need do so.
func (n *noop) AdmitsEveryone() bool { return true }

func (n *noop) Init(opts ...Option) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range opts {
		o(&n.options)
	}
}

func (n *noop) Options() Options {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.options
}

func (n *noop) Generate(id string, opts ...GenerateOption) (*Account, error) {
	o := NewGenerateOptions(opts...)
	return &Account{ID: id, Type: o.Type, Issuer: n.Options().Namespace, Metadata: o.Metadata, Scopes: o.Scopes, Secret: o.Secret}, nil
}

func (n *noop) Verify(*Account, *Resource, ...VerifyOption) error { return nil }

// Inspect returns an account with an ID that nobody else has.
func (n *noop) Inspect(string) (*Account, error) {
	return &Account{ID: uuid.NewString(), Issuer: n.Options().Namespace}, nil
}

func (n *noop) Token(...TokenOption) (*Token, error) { return &Token{}, nil }

func (n *noop) Grant(*Rule) error { return nil }

func (n *noop) Revoke(*Rule) error { return nil }

func (n *noop) Rules(...RulesOption) ([]*Rule, error) { return []*Rule{}, nil }

func (n *noop) String() string { return "noop" }
