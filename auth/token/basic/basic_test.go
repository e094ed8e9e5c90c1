package basic_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/token"
	"github.com/rollcall-go/micro/auth/token/basic"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/memory"
)

func TestToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.NewStore()
		p := basic.NewTokenProvider(token.WithStore(s))
		tok, err := p.Generate(&auth.Account{ID: "jane", Scopes: []string{"a"}, Metadata: map[string]string{"b": "c"}})
		if err != nil || tok.Expiry.Sub(tok.Created) != 15*time.Minute {
			t.Fatalf("made %+v, %v", tok, err)
		}
		if keys, err := s.List(); err != nil || len(keys) != 1 || keys[0] != basic.StorePrefix+tok.Token {
			t.Errorf("stored %q, %v", keys, err)
		}
		if acc, err := p.Inspect(tok.Token); err != nil || acc.ID != "jane" || acc.Scopes[0] != "a" || acc.Metadata["b"] != "c" {
			t.Errorf("inspected %+v, %v", acc, err)
		}
		if _, err := p.Inspect("nonsense"); err != token.ErrInvalidToken {
			t.Errorf("nonsense: %v", err)
		}
		time.Sleep(15 * time.Minute)
		if _, err := p.Inspect(tok.Token); err != token.ErrInvalidToken {
			t.Errorf("after its time: %v", err)
		}
	})
}

// failing is a store that is away.
type failing struct{ store.Store }

var errAway = errors.New("away")

func (failing) Write(*store.Record, ...store.WriteOption) error           { return errAway }
func (failing) Read(string, ...store.ReadOption) ([]*store.Record, error) { return nil, errAway }

func TestAStoreThatIsAwayIsNoInvalidToken(t *testing.T) {
	p := basic.NewTokenProvider(token.WithStore(failing{}))
	if _, err := p.Inspect("x"); !errors.Is(err, errAway) || errors.Is(err, token.ErrInvalidToken) {
		t.Errorf("inspect: %v", err)
	}
	if _, err := p.Generate(&auth.Account{}); !errors.Is(err, errAway) {
		t.Errorf("generate: %v", err)
	}
}
