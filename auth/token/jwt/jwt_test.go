package jwt_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/token"
	jwttoken "github.com/rollcall-go/micro/auth/token/jwt"
)

// pair is a key in the forms in which it is given.
type pair struct {
	key             *rsa.PrivateKey
	public, private []byte // PEM
}

var pairs = sync.OnceValues(func() (made [2]pair, err error) {
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return made, err
		}
		public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return made, err
		}
		made[i] = pair{
			key:     key,
			public:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
			private: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		}
	}
	return made, nil
})

func keys(t *testing.T) (one, two pair) {
	t.Helper()
	made, err := pairs()
	if err != nil {
		t.Fatal(err)
	}
	return made[0], made[1]
}

func encoded(pem ...[]byte) string {
	var all []byte
	for _, p := range pem {
		all = append(all, p...)
	}
	return base64.StdEncoding.EncodeToString(all)
}

var jane = &auth.Account{ID: "jane", Type: "user", Issuer: "shop", Scopes: []string{"admin"}, Metadata: map[string]string{"a": "b"}}

func TestToken(t *testing.T) {
	one, _ := keys(t)
	p := jwttoken.NewTokenProvider(token.WithPublicKey(encoded(one.public)), token.WithPrivateKey(encoded(one.private)))
	tok, err := p.Generate(jane)
	if err != nil || tok.Expiry.Sub(tok.Created) != 15*time.Minute {
		t.Fatalf("made %+v, %v", tok, err)
	}
	acc, err := p.Inspect(tok.Token)
	if err != nil || acc.ID != "jane" || acc.Type != "user" || acc.Issuer != "shop" || acc.Scopes[0] != "admin" || acc.Metadata["a"] != "b" || acc.Secret != "" {
		t.Errorf("inspected %+v, %v", acc, err)
	}
	if p.String() != "jwt" {
		t.Errorf("it calls itself %s", p)
	}
}

// signed makes a token as somebody might who wants to be let in.
func signed(t *testing.T, m jwt.SigningMethod, key any, claims map[string]any) string {
	t.Helper()
	text, err := jwt.NewWithClaims(m, jwt.MapClaims(claims)).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokensThatAreRefused(t *testing.T) {
	one, two := keys(t)
	p := jwttoken.NewTokenProvider(token.WithPublicKey(encoded(one.public)))
	soon, before := time.Now().Add(time.Hour).Unix(), time.Now().Add(-10*time.Second).Unix()
	good := signed(t, jwt.SigningMethodRS256, one.key, map[string]any{"sub": "jane", "exp": soon})
	if acc, err := p.Inspect(good); err != nil || acc.ID != "jane" {
		t.Fatalf("without a kid, as v2 makes them: %+v, %v", acc, err)
	}
	parts := strings.Split(good, ".")
	forged, err := json.Marshal(map[string]any{"sub": "admin", "exp": soon})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"nonsense":             "nonsense",
		"of another key":       signed(t, jwt.SigningMethodRS256, two.key, map[string]any{"sub": "jane", "exp": soon}),
		"expired":              signed(t, jwt.SigningMethodRS256, one.key, map[string]any{"sub": "jane", "exp": before}),
		"without an end":       signed(t, jwt.SigningMethodRS256, one.key, map[string]any{"sub": "jane"}),
		"not yet valid":        signed(t, jwt.SigningMethodRS256, one.key, map[string]any{"sub": "jane", "exp": soon, "nbf": soon}),
		"not signed":           signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"sub": "jane", "exp": soon}),
		"signed by public key": signed(t, jwt.SigningMethodHS256, one.public, map[string]any{"sub": "jane", "exp": soon}),
		"another algorithm":    signed(t, jwt.SigningMethodPS256, one.key, map[string]any{"sub": "jane", "exp": soon}),
		"forged":               parts[0] + "." + base64.RawURLEncoding.EncodeToString(forged) + "." + parts[2],
		"without a signature":  parts[0] + "." + parts[1] + ".",
		"too long":             strings.Repeat("a", 100_000) + good,
	} {
		if acc, err := p.Inspect(text); err != token.ErrInvalidToken {
			t.Errorf("%s: %+v, %v", name, acc, err)
		}
	}
}

func TestRotation(t *testing.T) {
	one, two := keys(t)
	dir := t.TempDir()
	public, private := filepath.Join(dir, "public.pem"), filepath.Join(dir, "private.pem")
	write := func(path string, content ...[]byte) {
		t.Helper()
		var all []byte
		for _, c := range content {
			all = append(all, c...)
		}
		if err := os.WriteFile(path, all, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(public, one.public)
	write(private, one.private)
	signer := jwttoken.NewTokenProvider(token.WithPrivateKeyFile(private))
	judge := jwttoken.NewTokenProvider(token.WithPublicKeyFile(public))
	make := func() string {
		t.Helper()
		tok, err := signer.Generate(jane)
		if err != nil {
			t.Fatal(err)
		}
		return tok.Token
	}
	valid := func(text string) bool { _, err := judge.Inspect(text); return err == nil }

	older := make()
	write(public, one.public, two.public) // first everybody learns of the new key
	write(private, two.private)
	newer := make()
	if !valid(older) || !valid(newer) {
		t.Error("a token of one of two keys is refused")
	}
	write(public, two.public)
	if valid(older) || !valid(newer) {
		t.Error("a token of a key that is gone is good, or the other is not")
	}
	write(public, []byte("half a fi"))
	if valid(older) || !valid(newer) {
		t.Error("a file that cannot be read took the keys away")
	}
	if kid := func(text string) any {
		tok, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		return tok.Header["kid"]
	}; kid(older) == kid(newer) || kid(newer) != kid(make()) {
		t.Errorf("the keys are called %v, %v and %v", kid(older), kid(newer), kid(make()))
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	one, _ := keys(t)
	for name, tt := range map[string]struct {
		opts     []token.Option
		generate string // what the error says
		inspect  string
		err      string
	}{
		"none":           {nil, "there is no key to sign it with", "there is no key to judge it by", ""},
		"no base64":      {[]token.Option{token.WithPrivateKey(string(one.private))}, "want PEM in base64", "want PEM in base64", "want PEM in base64"},
		"no PEM":         {[]token.Option{token.WithPrivateKey(encoded([]byte("x")))}, "no PEM", "no PEM", "no PEM"},
		"public for":     {[]token.Option{token.WithPrivateKey(encoded(one.public))}, "it has a PUBLIC KEY", "it has a PUBLIC KEY", "it has a PUBLIC KEY"},
		"private for":    {[]token.Option{token.WithPublicKey(encoded(one.private))}, "there is no key", "it has a RSA PRIVATE KEY", "it has a RSA PRIVATE KEY"},
		"no file":        {[]token.Option{token.WithPublicKeyFile("/nowhere/x")}, "there is no key", "/nowhere/x", "/nowhere/x"},
		"the public one": {[]token.Option{token.WithPublicKey(encoded(one.public))}, "there is no key to sign it with", "invalid token", ""},
	} {
		p := jwttoken.NewTokenProvider(tt.opts...)
		if _, err := p.Generate(jane); !errors.Is(err, token.ErrEncodingToken) || !strings.Contains(err.Error(), tt.generate) {
			t.Errorf("%s: generate: %v", name, err)
		}
		if _, err := p.Inspect("x"); err == nil || !strings.Contains(err.Error(), tt.inspect) {
			t.Errorf("%s: inspect: %v", name, err)
		}
		err := p.(*jwttoken.JWT).Err()
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: Err is %v", name, err)
		}
	}
}
