package micro

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/jwt"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// signing returns an Auth with a new key, and a rule for whoever has the scope.
func signing(t *testing.T, scope string) auth.Auth {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := jwt.NewAuth(auth.PrivateKey(base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))))
	if err := a.Grant(&auth.Rule{ID: "all", Scope: scope, Resource: &auth.Resource{Type: "*", Name: "*", Endpoint: "*"}}); err != nil {
		t.Fatal(err)
	}
	return a
}

// code returns that of an error, 0 for none.
func code(err error) int32 {
	if err == nil {
		return 0
	}
	return errors.FromError(err).Code
}

func TestAServiceJudgesItsCallers(t *testing.T) {
	a := signing(t, "service")
	r := newMemory(t)
	callers := make(chan string, 1)
	node := newNode(t, "greeter", r, &Echo{then: func(ctx context.Context) error {
		acc, _ := auth.AccountFromContext(ctx)
		callers <- acc.ID
		return nil
	}}, Auth(a))
	run(t, node)

	stranger := newNode(t, "stranger", r, &Echo{})
	if _, err := say(t.Context(), stranger.Client(), "greeter", "x"); code(err) != http.StatusUnauthorized {
		t.Errorf("a stranger: %v", err)
	}
	friend := newNode(t, "friend", r, &Echo{}, Auth(a))
	if _, err := say(t.Context(), friend.Client(), "greeter", "x"); err != nil {
		t.Fatalf("a friend: %v", err)
	}
	if id := <-callers; id != "friend-"+friend.Server().Options().Id {
		t.Errorf("the handler found %q", id)
	}
	if ns := a.Options().Namespace; ns != auth.DefaultNamespace {
		t.Errorf("the namespace is %q", ns)
	}
	user, err := a.Generate("jane", auth.WithType("user"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.Set(t.Context(), "Authorization", auth.BearerScheme+user.Secret)
	if _, err := say(ctx, friend.Client(), "greeter", "x"); code(err) != http.StatusForbidden {
		t.Errorf("a user without the scope: %v", err)
	}
	req := friend.Client().NewRequest("greeter", "Echo.Say", &Text{}, client.WithContentType("application/json"))
	if err := friend.Client().Call(ctx, req, &Text{}, client.WithServiceToken()); err != nil {
		t.Errorf("with the token of the service: %v", err)
	}
	<-callers
}

// TestPlaceOfTheGuard holds it behind the wrappers that a service is made with and before
// those of Init, whenever the Auth comes.
func TestPlaceOfTheGuard(t *testing.T) {
	for name, choose := range map[string]func(Service, auth.Auth) error{
		"by an option": func(s Service, a auth.Auth) error { s.Init(Auth(a)); return nil },
		"past it":      func(s Service, a auth.Auth) error { return s.Server().Init(server.Auth(a)) },
	} {
		t.Run(name, func(t *testing.T) {
			var seen recorder
			saw := func(name string) server.HandlerWrapper {
				return func(next server.HandlerFunc) server.HandlerFunc {
					return func(ctx context.Context, req server.Request, rsp any) error {
						if _, ok := auth.AccountFromContext(ctx); ok {
							name += " and the account"
						}
						seen.add(name)
						return next(ctx, req, rsp)
					}
				}
			}
			a, r := signing(t, auth.ScopeAccount), newMemory(t)
			s := newNode(t, "greeter", r, &Echo{}, WrapHandler(saw("first")))
			s.Init(WrapHandler(saw("second")))
			if err := choose(s, a); err != nil {
				t.Fatal(err)
			}
			s.Init()
			run(t, s)
			acc, err := a.Generate("jane")
			if err != nil {
				t.Fatal(err)
			}
			ctx := metadata.Set(t.Context(), "Authorization", auth.BearerScheme+acc.Secret)
			if _, err := say(ctx, s.Client(), "greeter", "x"); err != nil {
				t.Fatal(err)
			}
			if got, want := seen.take(), []string{"first", "second and the account"}; !slices.Equal(got, want) {
				t.Errorf("saw %q, want %q", got, want)
			}
		})
	}
}

func TestAServiceWithoutAuthAsksNobody(t *testing.T) {
	r := newMemory(t)
	s := newNode(t, "greeter", r, &Echo{})
	if n := len(s.Server().Options().HdlrWrappers); n != 0 {
		t.Errorf("the server has %d wrappers", n)
	}
	run(t, s)
	ctx, cancel := context.WithTimeout(metadata.Set(t.Context(), "Authorization", "Basic x"), 10*time.Second)
	defer cancel()
	if _, err := say(ctx, s.Client(), "greeter", "x"); err != nil {
		t.Error(err)
	}
}

// TestAServiceJudgesItsStreams does so for handlers and for services of protoc-gen-go-grpc.
func TestAServiceJudgesItsStreams(t *testing.T) {
	for name, register := range talks {
		t.Run(name, func(t *testing.T) {
			a, r := signing(t, "service"), newMemory(t)
			s := newNode(t, "talk", r, nil, Auth(a))
			if err := register(s); err != nil {
				t.Fatal(err)
			}
			run(t, s)
			sum := func(from *service) (string, error) {
				out, err := byHand(from.Client(), "talk").sum(t.Context(), "a", "b")
				return out.GetText(), err
			}
			if _, err := sum(newNode(t, "stranger", r, nil)); code(err) != http.StatusUnauthorized {
				t.Errorf("a stranger: %v", err)
			}
			if text, err := sum(newNode(t, "friend", r, nil, Auth(a))); err != nil || text != "a+b" {
				t.Errorf("a friend: %q, %v", text, err)
			}
		})
	}
}
