package main

import (
	"context"
	"encoding/json"

	"github.com/micro/go-micro/v2/auth"
	jwtauth "github.com/micro/go-micro/v2/auth/jwt"
	"github.com/micro/go-micro/v2/auth/token"
	"github.com/micro/go-micro/v2/auth/token/jwt"

	"github.com/rollcall-go/micro/interop/peer"
)

// guard returns what lets those do everything who have the scope "admin".
func guard(publicKey string) (auth.Auth, error) {
	a := jwtauth.NewAuth(auth.PublicKey(publicKey), auth.Namespace("go.micro"))
	return a, a.Grant(&auth.Rule{ID: "admin", Scope: "admin", Resource: &auth.Resource{Type: "*", Name: "*", Endpoint: "*"}})
}

func sign(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var s peer.Signing
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, err
	}
	made, err := jwt.NewTokenProvider(token.WithPrivateKey(s.PrivateKey)).Generate(
		&auth.Account{ID: s.ID, Type: s.Type, Issuer: s.Issuer, Scopes: s.Scopes, Metadata: s.Metadata}, token.WithExpiry(s.Expiry))
	if err != nil {
		return nil, err
	}
	return made.Token, nil
}

func judge(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var j peer.Judging
	if err := json.Unmarshal(body, &j); err != nil {
		return nil, err
	}
	acc, err := jwtauth.NewAuth(auth.PublicKey(j.PublicKey)).Inspect(j.Token)
	if err != nil {
		return nil, err
	}
	return peer.Account{ID: acc.ID, Type: acc.Type, Issuer: acc.Issuer, Scopes: acc.Scopes, Metadata: acc.Metadata}, nil
}
