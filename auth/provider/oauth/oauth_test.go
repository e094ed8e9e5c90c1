package oauth_test

import (
	"net/url"
	"testing"

	"github.com/rollcall-go/micro/auth/provider"
	"github.com/rollcall-go/micro/auth/provider/basic"
	"github.com/rollcall-go/micro/auth/provider/oauth"
)

func TestEndpoint(t *testing.T) {
	p := oauth.NewProvider(provider.Credentials("me", "s"), provider.Endpoint("https://id.example/auth?tenant=1"), provider.Redirect("https://me.example/back"), provider.Scope("openid email"))
	u, err := url.Parse(p.Endpoint(provider.WithState("x&y"), provider.WithLoginHint("jane")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"tenant": "1", "response_type": "code", "state": "x&y", "login_hint": "jane", "client_id": "me", "scope": "openid email", "redirect_uri": "https://me.example/back",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if p.String() != "oauth" || p.Redirect() != "https://me.example/back" || p.Options().ClientSecret != "s" {
		t.Errorf("%s with %+v", p, p.Options())
	}
	if u := oauth.NewProvider(provider.Endpoint("https://id.example")).Endpoint(); u != "https://id.example?response_type=code" {
		t.Errorf("without options: %q", u)
	}
	if b := basic.NewProvider(); b.Endpoint() != "" || b.Redirect() != "" || b.String() != "basic" {
		t.Error("the basic provider sends users away")
	}
}
