// Package authcall has an auth.Auth judge the calls that arrive, and puts tokens on those
// that leave.
package authcall

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// The headers of a call.
const (
	headerToken     = "Authorization"
	headerNamespace = "Micro-Namespace"
)

// forEverybody reports whether an endpoint asks for no account: v2's tools, which look
// whether services are well, have no token. What else a service tells about itself, its
// log say, is for those whom the rules let.
func forEverybody(endpoint string) bool {
	return endpoint == "Debug.Health" || endpoint == "Debug.Stats"
}

// Judges reports whether anything comes of asking a.
func Judges(a auth.Auth) bool {
	if a == nil {
		return false
	}
	open, ok := a.(interface{ AdmitsEveryone() bool })
	return !ok || !open.AdmitsEveryone()
}

// Handler returns the wrapper that lets in who may, and puts their account into the context.
// of returns the Auth at each call.
func Handler(of func() auth.Auth) server.HandlerWrapper {
	return func(h server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			a := of()
			if !Judges(a) || forEverybody(req.Endpoint()) {
				return h(ctx, req, rsp)
			}
			ctx, err := admit(ctx, a, req)
			if err != nil {
				return err
			}
			return h(ctx, req, rsp)
		}
	}
}

// admit returns the context for the handler, or why the call is refused.
func admit(ctx context.Context, a auth.Auth, req server.Request) (context.Context, error) {
	var account *auth.Account
	if header, ok := metadata.Get(ctx, headerToken); ok {
		token, ok := strings.CutPrefix(header, auth.BearerScheme)
		if !ok {
			return nil, errors.Unauthorized(req.Service(), "invalid authorization header. expected Bearer schema")
		}
		// A token that is not valid is none: the rules say what may be done without.
		if acc, err := a.Inspect(token); err == nil {
			account = acc
		}
	}
	namespace := a.Options().Namespace
	if _, ok := metadata.Get(ctx, headerNamespace); !ok {
		ctx = metadata.Set(ctx, headerNamespace, namespace)
	}
	// What the caller says of the namespace is no evidence.
	if account != nil && account.Issuer != namespace && account.Issuer != auth.DefaultNamespace {
		return nil, errors.Forbidden(req.Service(), "Account was not issued by %v", namespace)
	}
	res := &auth.Resource{Type: "service", Name: req.Service(), Endpoint: req.Endpoint()}
	err := a.Verify(account, res, auth.VerifyContext(ctx))
	switch {
	case err != nil && account != nil:
		return nil, errors.Forbidden(req.Service(), "Forbidden call made to %v:%v by %v", req.Service(), req.Endpoint(), account.ID)
	case err != nil:
		return nil, errors.Unauthorized(req.Service(), "Unauthorized call made to %v:%v", req.Service(), req.Endpoint())
	case account != nil:
		ctx = auth.ContextWithAccount(ctx, account)
	}
	return ctx, nil
}
