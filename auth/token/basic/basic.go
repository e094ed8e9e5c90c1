// Package basic makes tokens that mean nothing by themselves: the accounts that they are for
// stand in a store, until they end. Whoever shares the store can tell whose a token is.
package basic

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/token"
	"github.com/rollcall-go/micro/store"
)

// StorePrefix begins the keys of tokens. A program may set it before it makes a provider.
var StorePrefix = "tokens/"

// Basic is a token.Provider over a store.
type Basic struct {
	store  store.Store
	prefix string
}

var _ token.Provider = (*Basic)(nil)

// NewTokenProvider returns a provider that keeps its tokens in the store of token.WithStore,
// by default store.DefaultStore.
func NewTokenProvider(opts ...token.Option) token.Provider {
	return &Basic{store: token.NewOptions(opts...).Store, prefix: StorePrefix}
}

// Generate writes the account to the store, for as long as the token is valid.
func (b *Basic) Generate(acc *auth.Account, opts ...token.GenerateOption) (*token.Token, error) {
	o := token.NewGenerateOptions(opts...)
	value, err := json.Marshal(acc)
	if err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	key, now := uuid.NewString(), time.Now()
	if err := b.store.Write(&store.Record{Key: b.prefix + key, Value: value, Expiry: o.Expiry}); err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	return &token.Token{Token: key, Created: now, Expiry: now.Add(o.Expiry)}, nil
}

// Inspect reads the account from the store. It returns token.ErrInvalidToken for a token
// that is not there, or no more, and another error if the store cannot be asked.
func (b *Basic) Inspect(t string) (*auth.Account, error) {
	records, err := b.store.Read(b.prefix + t)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(records) == 0 {
		return nil, token.ErrInvalidToken
	}
	if err != nil {
		return nil, fmt.Errorf("inspect a token: %w", err)
	}
	acc := &auth.Account{}
	if err := json.Unmarshal(records[0].Value, acc); err != nil {
		return nil, fmt.Errorf("inspect a token: what is stored is no account: %w", err)
	}
	return acc, nil
}

// String returns "basic".
func (b *Basic) String() string { return "basic" }
