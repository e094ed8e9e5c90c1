package builtin

import (
	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/jwt"
	"github.com/rollcall-go/micro/auth/provider"
	"github.com/rollcall-go/micro/auth/provider/basic"
	"github.com/rollcall-go/micro/auth/provider/oauth"
	"github.com/rollcall-go/micro/store"
	"github.com/rollcall-go/micro/store/etcd"
	"github.com/rollcall-go/micro/store/memory"
)

// The constructors.
type (
	NewStore        = func(...store.Option) store.Store
	NewAuth         = func(...auth.Option) auth.Auth
	NewAuthProvider = func(...provider.Option) provider.Provider
)

// Stores returns the stores. That of the memory is the default.
func Stores() []Entry[NewStore] {
	return []Entry[NewStore]{
		{Name: "memory", Summary: "this process alone", New: memory.NewStore},
		{Name: "etcd", Summary: "version 3", New: etcd.NewStore},
		{Name: "service", Missing: "the store of micro's runtime is not in this release; --store=etcd keeps records for many processes"},
	}
}

// Auths returns what judges calls.
func Auths() []Entry[NewAuth] {
	return []Entry[NewAuth]{
		{Name: "noop", Summary: "everybody may do everything", New: auth.NewAuth},
		{Name: "jwt", Summary: "tokens that are signed, and the rules of the program", New: jwt.NewAuth},
		{Name: "service", Missing: "the auth of micro's runtime is not in this release; --auth=jwt judges the tokens that it made, by its public key"},
	}
}

// AuthProviders returns where users log in.
func AuthProviders() []Entry[NewAuthProvider] {
	return []Entry[NewAuthProvider]{
		{Name: "basic", Summary: "at the program itself", New: basic.NewProvider},
		{Name: "oauth", Summary: "OAuth 2.0", New: oauth.NewProvider},
	}
}
