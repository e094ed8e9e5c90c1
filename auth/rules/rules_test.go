package rules_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/auth/rules"
)

var (
	call   = &auth.Resource{Type: "service", Name: "go.micro.service.notes", Endpoint: "Notes.Create"}
	page   = &auth.Resource{Type: "web", Name: "go.micro.web.notes", Endpoint: "/notes/new"}
	all    = &auth.Resource{Type: "*", Name: "*", Endpoint: "*"}
	nobody *auth.Account
	jane   = &auth.Account{ID: "jane", Scopes: []string{"Editor"}}
)

func endpoint(e string) *auth.Resource {
	return &auth.Resource{Type: "web", Name: page.Name, Endpoint: e}
}

func TestVerify(t *testing.T) {
	deny := auth.AccessDenied
	for name, tt := range map[string]struct {
		rules []*auth.Rule
		acc   *auth.Account
		res   *auth.Resource
		may   bool
	}{
		"no rules":                       {nil, jane, call, false},
		"for everybody":                  {[]*auth.Rule{{Resource: all}}, nobody, call, true},
		"for accounts, with one":         {[]*auth.Rule{{Scope: "*", Resource: all}}, jane, call, true},
		"for accounts, without one":      {[]*auth.Rule{{Scope: "*", Resource: all}}, nobody, call, false},
		"for a scope, in capitals":       {[]*auth.Rule{{Scope: "EDITOR", Resource: all}}, jane, call, true},
		"for a scope that is missing":    {[]*auth.Rule{{Scope: "admin", Resource: all}}, jane, call, false},
		"denied to accounts":             {[]*auth.Rule{{Scope: "*", Resource: all, Access: deny}, {Resource: all}}, jane, call, false},
		"denied to accounts, not others": {[]*auth.Rule{{Scope: "*", Resource: all, Access: deny}, {Resource: all}}, nobody, call, true},
		"of two, the first":              {[]*auth.Rule{{Resource: all}, {Resource: all, Access: deny}}, jane, call, true},
		"of two, the higher priority":    {[]*auth.Rule{{Resource: all}, {Resource: all, Access: deny, Priority: 1}}, jane, call, false},
		"another endpoint":               {[]*auth.Rule{{Resource: &auth.Resource{Type: "service", Name: call.Name, Endpoint: "Notes.Delete"}}}, jane, call, false},
		"another type":                   {[]*auth.Rule{{Resource: &auth.Resource{Type: "web", Name: "*", Endpoint: "*"}}}, jane, call, false},
		"no resource":                    {[]*auth.Rule{{}, nil}, jane, call, false},
		"neither granted nor denied":     {[]*auth.Rule{{Resource: all, Access: 7}}, jane, call, false},
		"below the root":                 {[]*auth.Rule{{Resource: endpoint("/*")}}, jane, page, true},
		"below a path":                   {[]*auth.Rule{{Resource: endpoint("/Notes/*")}}, jane, page, true},
		"below itself":                   {[]*auth.Rule{{Resource: endpoint("/notes/new/*")}}, jane, page, true},
		"below half a name":              {[]*auth.Rule{{Resource: endpoint("/not/*")}}, jane, page, false},
		"half a name":                    {[]*auth.Rule{{Resource: endpoint("/not*")}}, jane, page, false},
		"below another path":             {[]*auth.Rule{{Resource: endpoint("/bar/*")}}, jane, page, false},
	} {
		err := rules.Verify(tt.rules, tt.acc, tt.res)
		if tt.may && err != nil || !tt.may && err != auth.ErrForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleVerify() {
	granted := []*auth.Rule{
		{ID: "readers", Scope: auth.ScopeAccount, Resource: &auth.Resource{Type: "service", Name: "notes", Endpoint: "Notes.Read"}},
		{ID: "admin", Scope: "admin", Resource: &auth.Resource{Type: "service", Name: "notes", Endpoint: "*"}},
	}
	account := &auth.Account{ID: "jane"}
	fmt.Println(rules.Verify(granted, account, &auth.Resource{Type: "service", Name: "notes", Endpoint: "Notes.Read"}))
	fmt.Println(rules.Verify(granted, account, &auth.Resource{Type: "service", Name: "notes", Endpoint: "Notes.Delete"}))
	// Output:
	// <nil>
	// resource forbidden
}
