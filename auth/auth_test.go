package auth_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/auth"
)

func TestNoopLetsEverybodyIn(t *testing.T) {
	a := auth.NewAuth(auth.Namespace("shop"))
	acc, err := a.Generate("jane", auth.WithType("user"), auth.WithScopes("admin"), auth.WithMetadata(map[string]string{"a": "b"}), auth.WithSecret("s"))
	if err != nil || acc.ID != "jane" || acc.Type != "user" || acc.Issuer != "shop" || acc.Scopes[0] != "admin" || acc.Metadata["a"] != "b" || acc.Secret != "s" {
		t.Errorf("made %+v, %v", acc, err)
	}
	one, err1 := a.Inspect("x")
	two, err2 := a.Inspect("x")
	if err1 != nil || err2 != nil || one.ID == two.ID || one.Issuer != "shop" {
		t.Errorf("inspected %+v, %v and %+v, %v", one, err1, two, err2)
	}
	if err := a.Verify(nil, &auth.Resource{Name: "x"}); err != nil {
		t.Errorf("a stranger is refused: %v", err)
	}
	rule := &auth.Rule{ID: "r", Access: auth.AccessDenied}
	if err := a.Grant(rule); err != nil {
		t.Error(err)
	}
	if rules, err := a.Rules(); err != nil || len(rules) != 0 {
		t.Errorf("rules %v, %v", rules, err)
	}
	if err := a.Revoke(rule); err != nil {
		t.Error(err)
	}
	if tok, err := a.Token(auth.WithCredentials("jane", "s")); err != nil || !tok.Expired() {
		t.Errorf("a token that does nothing: %+v, %v", tok, err)
	}
}

func TestOptions(t *testing.T) {
	tok := &auth.Token{Expiry: time.Now().Add(time.Hour)}
	o := auth.NewOptions(auth.Addrs("a:1"), auth.Namespace("n"), auth.PublicKey("p"), auth.PrivateKey("q"), auth.PublicKeyFile("f"), auth.PrivateKeyFile("g"),
		auth.Credentials("id", "s"), auth.ClientToken(tok), auth.LoginURL("/login"), auth.Store(nil), auth.Provider(nil))
	if o.Addrs[0] != "a:1" || o.Namespace+o.PublicKey+o.PrivateKey+o.PublicKeyFile+o.PrivateKeyFile != "npqfg" || o.ID+o.Secret != "ids" || o.Token != tok || o.LoginURL != "/login" || o.Client == nil {
		t.Errorf("got %+v", o)
	}
	if tok.Expired() || !(&auth.Token{Expiry: time.Now().Add(-2 * time.Second)}).Expired() {
		t.Error("Expired is wrong")
	}
	if e := auth.NewTokenOptions().Expiry; e != time.Minute {
		t.Errorf("a token is valid for %v", e)
	}
}

func ExampleAccountFromContext() {
	ctx := auth.ContextWithAccount(context.Background(), &auth.Account{ID: "jane"}) // as the framework does
	if account, ok := auth.AccountFromContext(ctx); ok {
		fmt.Println(account.ID)
	}
	// Output: jane
}
