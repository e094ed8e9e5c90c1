package jwt_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/jwt"
	"github.com/rollcall-go/micro/auth/token"
)

// private is a key as auth.PrivateKey wants it.
var private = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err.Error() // no key: the tests say so
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

func TestAccountAndToken(t *testing.T) {
	a := jwt.NewAuth(auth.PrivateKey(private()), auth.Namespace("shop"))
	acc, err := a.Generate("jane", auth.WithType("user"), auth.WithScopes("admin"), auth.WithMetadata(map[string]string{"a": "b"}))
	if err != nil || acc.ID != "jane" || acc.Issuer != "shop" || acc.Secret == "" {
		t.Fatalf("made %+v, %v", acc, err)
	}
	tok, err := a.Token(auth.WithCredentials(acc.ID, acc.Secret), auth.WithExpiry(10*time.Minute))
	if err != nil || tok.Expired() || tok.Expiry.Sub(tok.Created) != 10*time.Minute {
		t.Fatalf("made %+v, %v", tok, err)
	}
	next, err := a.Token(auth.WithToken(tok.RefreshToken))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{tok.AccessToken, next.AccessToken} {
		got, err := a.Inspect(text)
		if err != nil || got.ID != "jane" || got.Type != "user" || got.Issuer != "shop" || got.Scopes[0] != "admin" || got.Metadata["a"] != "b" {
			t.Errorf("inspected %+v, %v", got, err)
		}
	}
	if _, err := a.Token(auth.WithCredentials("jane", "guessed")); !errors.Is(err, token.ErrInvalidToken) {
		t.Errorf("for a guessed secret: %v", err)
	}
}

func TestRules(t *testing.T) {
	a := jwt.NewAuth()
	res := &auth.Resource{Type: "service", Name: "notes", Endpoint: "Notes.Read"}
	if err := a.Verify(&auth.Account{}, res); err != auth.ErrForbidden {
		t.Errorf("without rules: %v", err)
	}
	rule := &auth.Rule{ID: "readers", Scope: auth.ScopeAccount, Resource: res}
	if err := a.Grant(rule); err != nil {
		t.Fatal(err)
	}
	if a.Verify(&auth.Account{}, res) != nil || a.Verify(nil, res) != auth.ErrForbidden {
		t.Error("the rule is not kept")
	}
	if all, err := a.Rules(); err != nil || len(all) != 1 || all[0] != rule {
		t.Errorf("rules %v, %v", all, err)
	}
	if err := a.Grant(&auth.Rule{}); err == nil {
		t.Error("a rule for no resource was taken")
	}
	var wg sync.WaitGroup // -race looks on
	for i := range 8 {
		wg.Go(func() {
			one := &auth.Rule{ID: fmt.Sprint(i), Resource: res}
			_ = a.Grant(one)
			_ = a.Verify(nil, res)
			_ = a.Revoke(one)
		})
	}
	wg.Wait()
	if err := a.Revoke(rule); err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(&auth.Account{}, res); err != auth.ErrForbidden {
		t.Errorf("after the rule was revoked: %v", err)
	}
}

func TestInitKeepsTheKeys(t *testing.T) {
	a := jwt.NewAuth(auth.PrivateKey(private()))
	a.Init(auth.Namespace("later"))
	if acc, err := a.Generate("jane"); err != nil || acc.Issuer != "later" {
		t.Errorf("made %+v, %v", acc, err)
	}
	a.Init(auth.PrivateKey("no key"))
	if _, err := a.Generate("jane"); err == nil {
		t.Error("an unusable key is used")
	}
	if err := a.(interface{ Err() error }).Err(); err == nil {
		t.Error("an unusable key is not told")
	}
}
