package interop_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/rollcall-go/micro/interop/peer"
)

// pairOfKeys returns new keys as both frameworks want them.
func pairOfKeys(t *testing.T) (public, private string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("PUBLIC KEY", der), text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// TestTokens has each framework judge the tokens of the other, and let in calls by them.
func TestTokens(t *testing.T) {
	public, private := pairOfKeys(t)
	_, foreign := pairOfKeys(t)
	admin := peer.Account{ID: "jane", Type: "user", Issuer: "go.micro", Scopes: []string{"admin"}, Metadata: map[string]string{"city": "北京"}}
	eachWay(t, peer.Service{PublicKey: public}, func(t *testing.T, caller *program) {
		other := run(t, caller.kind.other(), "127.0.0.1:1", "interop.judge")
		sign := func(acc peer.Account, key string, expiry time.Duration) (token string) {
			t.Helper()
			caller.do(peer.OpSign, peer.Signing{Account: acc, PrivateKey: key, Expiry: expiry}, &token)
			return token
		}
		token := sign(admin, private, time.Hour)
		var got peer.Account
		if other.do(peer.OpJudge, peer.Judging{PublicKey: public, Token: token}, &got); !reflect.DeepEqual(got, admin) {
			t.Errorf("the other one reads %+v, want %+v", got, admin)
		}
		for name, bad := range map[string]string{"expired": sign(admin, private, -time.Minute), "of another key": sign(admin, foreign, time.Hour)} {
			if err := other.try(peer.OpJudge, peer.Judging{PublicKey: public, Token: bad}, &got); err == nil {
				t.Errorf("a token that is %s is valid", name)
			}
		}
		call := func(token string) peer.Call {
			c := peer.Call{Service: caller.served(), Endpoint: "Greeter.Hello", Body: json.RawMessage(`{"name":"x"}`)}
			if token != "" {
				c.Metadata = map[string]string{"Authorization": "Bearer " + token}
			}
			return c
		}
		if _, err := caller.call(call(token)); err != nil {
			t.Errorf("with a token: %v", err)
		}
		reader := admin
		reader.Scopes = []string{"reader"}
		for want, token := range map[int32]string{http.StatusForbidden: sign(reader, private, time.Hour), http.StatusUnauthorized: ""} {
			if err := caller.failure(call(token)); err.Code != want {
				t.Errorf("want %d, got %v", want, err)
			}
		}
	})
}
