// Package rules judges by the rules of package auth.
package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/auth"
)

// Verify returns nil if the rules let the account, nil for a caller without one, use the
// resource, else auth.ErrForbidden.
//
// Of the rules that are for the resource, those with the highest priority are read first,
// and of the same priority those that stand first. The first that is for the account
// decides; if there is none, the answer is no. Capitals make no difference.
//
// A rule is for a resource if its type, name and endpoint are those of the resource, or
// "*". Of a path, an endpoint such as /a/* stands for what is below /a, and /a itself.
func Verify(rules []*auth.Rule, acc *auth.Account, res *auth.Resource) error {
	var fitting []*auth.Rule
	for _, r := range rules {
		if r != nil && r.Resource != nil && res != nil && fits(r.Resource, res) {
			fitting = append(fitting, r)
		}
	}
	slices.SortStableFunc(fitting, func(a, b *auth.Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	for _, r := range fitting {
		if isFor(r, acc) {
			if r.Access == auth.AccessGranted {
				return nil
			}
			return auth.ErrForbidden
		}
	}
	return auth.ErrForbidden
}

func fits(rule, res *auth.Resource) bool {
	return one(rule.Type, res.Type) && one(rule.Name, res.Name) && (one(rule.Endpoint, res.Endpoint) || below(rule.Endpoint, res.Endpoint))
}

func one(rule, name string) bool { return rule == "*" || strings.EqualFold(rule, name) }

// below reports whether rule is a path that ends in /*, and stands for path.
func below(rule, path string) bool {
	dir, ok := strings.CutSuffix(rule, "/*")
	if !ok || !strings.Contains(path, "/") || len(path) < len(dir) {
		return false
	}
	return strings.EqualFold(dir, path[:len(dir)]) && (len(path) == len(dir) || path[len(dir)] == '/')
}

// isFor reports whether a rule is for an account, or for a caller without one. A rule that
// neither grants nor denies is for nobody.
func isFor(r *auth.Rule, acc *auth.Account) bool {
	switch {
	case r.Access != auth.AccessGranted && r.Access != auth.AccessDenied:
		return false
	case r.Scope == auth.ScopePublic:
		return true
	case acc == nil:
		return false
	case r.Scope == auth.ScopeAccount:
		return true
	}
	return slices.ContainsFunc(acc.Scopes, func(s string) bool { return strings.EqualFold(s, r.Scope) })
}
