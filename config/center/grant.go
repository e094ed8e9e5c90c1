package center

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rollcall-go/micro/internal/etcd"
)

// Grant says what a user of etcd may do in the namespace of a Center. It gives a role of
// the user's own exactly the rights that this takes.
type Grant struct {
	User string
	// Path bounds the values: the key Path and those below it. Without it they are all
	// values of the namespace.
	Path string
	// Write lets the user change the values and make releases: one who operates. Without
	// it the user reads.
	Write bool
	// Service, if not empty, is the service that runs as this user. It reads the values
	// and the grays, and says what it has applied.
	Service string
	// Register lets the service register itself, be paused, and find others.
	Register bool
}

// Granted is what a user may do.
type Granted struct {
	User   string  `json:"user"`
	Role   string  `json:"role"`
	Rights []Right `json:"rights"`
	// Others are the roles that the user has beside this one: what they allow is allowed.
	Others []string `json:"other_roles,omitempty"`
	// Made and Changed say whether the user was made, and whether the rights of one that
	// was there were changed.
	Made    bool `json:"made"`
	Changed bool `json:"changed,omitempty"`
	// Checked is false if etcd asks nobody who he is: nothing is granted to whoever may
	// do everything.
	Checked bool `json:"checked"`
}

// Right is what a role may do with some keys of etcd.
type Right struct {
	Keys  string `json:"keys"`            // one key, or what the keys begin with
	Below bool   `json:"below,omitempty"` // they begin so
	To    string `json:"to,omitempty"`    // a range that is neither, up to before this key
	Read  bool   `json:"read"`
	Write bool   `json:"write"`
}

// String says the right in words.
func (r Right) String() string {
	does := "read"
	if r.Read && r.Write {
		does = "read and write"
	} else if r.Write {
		does = "write"
	}
	switch {
	case r.Below:
		return fmt.Sprintf("%s %s...", does, r.Keys)
	case r.To != "":
		return fmt.Sprintf("%s %s up to %s", does, r.Keys, r.To)
	}
	return fmt.Sprintf("%s %s", does, r.Keys)
}

func shownRight(r etcd.Right) Right {
	shown := Right{Keys: r.From, Read: r.Read, Write: r.Write}
	if below := etcd.Below(r.From); below.To == r.To {
		shown.Below = true
	} else {
		shown.To = r.To
	}
	return shown
}

func shownRights(all []etcd.Right) []Right {
	shown := make([]Right, len(all))
	for i, r := range all {
		shown[i] = shownRight(r)
	}
	return shown
}

// GrantedError says that a user or a role is there and is not what a Grant makes of it.
type GrantedError struct {
	User, Role      string
	Missing, Beyond []Right // what the role lacks, and what it has too much
	// Without says that the user is there and does not have the role.
	Without bool
}

// Error implements error.
func (e *GrantedError) Error() string {
	var parts []string
	if e.Without {
		parts = append(parts, "the user is there and does not have the role")
	}
	for _, r := range e.Missing {
		parts = append(parts, "it may not "+r.String())
	}
	for _, r := range e.Beyond {
		parts = append(parts, "it may "+r.String()+", which was not asked for")
	}
	return fmt.Sprintf("grant user %q the role %q: there is such a one, and it is another: %s", e.User, e.Role, strings.Join(parts, "; "))
}

// check returns why a grant cannot be made.
func (g Grant) check() error {
	switch {
	case g.User == "" || strings.ContainsFunc(g.User, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == '/' }):
		return fmt.Errorf("the user cannot be called %q: a name has no spaces, no / and nothing that cannot be seen", g.User)
	case g.User == "root":
		return errors.New("root may do everything")
	case g.Write && g.Service != "":
		return errors.New("a service writes no values: let another user operate")
	case g.Register && g.Service == "":
		return errors.New("who registers is a service: say which")
	case g.Path != "":
		return checkKey(KindValue, g.Path)
	}
	return nil
}

// role is the name of the role of a user in the namespace.
func (c *Center) role(user string) string {
	return "rollcall/" + c.etcd.Layout().Namespace + "/" + user
}

// rights returns what a grant takes, in the order of the keys.
func (c *Center) rights(g Grant) []etcd.Right {
	l := c.etcd.Layout()
	var all []etcd.Right
	add := func(prefix string, write bool) { all = append(all, etcd.RightBelow(prefix, write)) }
	if g.Path == "" {
		add(l.Config(), g.Write)
	} else {
		key := l.Config() + g.Path
		all = append(all, etcd.Right{From: key, Read: true, Write: g.Write})
		add(key+"/", g.Write)
	}
	add(l.ConfigGrays(), g.Write && g.Path == "")
	switch {
	case g.Service != "":
		add(l.ConfigAppliedOf(g.Service), true)
	case g.Write:
		add(l.Releases(), true)
	case g.Path == "":
		add(l.Releases(), false)
	}
	if g.Service == "" {
		add(l.ConfigSchemas(), g.Write && g.Path == "")
		add(l.ConfigApplied(), false)
	}
	if g.Register {
		add(l.Services(), false)
		add(l.Service(g.Service), true)
		add(l.PausesOf(g.Service), false)
	}
	slices.SortFunc(all, func(a, b etcd.Right) int { return strings.Compare(a.From, b.From) })
	return all
}

// PlanGrant returns what Grant would give, and does not ask etcd.
func (c *Center) PlanGrant(g Grant) (Granted, error) {
	if err := g.check(); err != nil {
		return Granted{}, fmt.Errorf("grant: %w", err)
	}
	return Granted{User: g.User, Role: c.role(g.User), Rights: shownRights(c.rights(g))}, nil
}

// Grant makes the role and, with that password, the user. What is there already and is
// what it would make stays; a user who was there keeps the password. What is there and is
// another one is a *GrantedError and is left as it is, unless change says otherwise: then
// the role gets exactly these rights and the user the role. It needs etcd's role root,
// but where users are not checked.
func (c *Center) Grant(ctx context.Context, g Grant, password string, change bool) (Granted, error) {
	granted, err := c.PlanGrant(g)
	if err != nil {
		return Granted{}, err
	}
	conn, wanted := c.etcd.Conn(), c.rights(g)
	if granted.Checked, err = conn.ChecksUsers(ctx); err != nil {
		return Granted{}, err
	}
	had, roleThere, err := conn.Role(ctx, granted.Role)
	if err != nil {
		return Granted{}, err
	}
	roles, userThere, err := conn.User(ctx, g.User)
	if err != nil {
		return Granted{}, err
	}
	missing, beyond := without(wanted, had), without(had, wanted)
	differs := &GrantedError{g.User, granted.Role, shownRights(missing), shownRights(beyond), userThere && !slices.Contains(roles, granted.Role)}
	// Without its user, a role that lacks rights is what an attempt that was interrupted
	// has left.
	interrupted := !userThere && len(beyond) == 0
	if other := differs.Without || len(missing)+len(beyond) > 0; other && !change && !interrupted {
		return Granted{}, differs
	} else if other && !interrupted {
		granted.Changed = true
	}
	if !userThere && password == "" {
		return Granted{}, fmt.Errorf("grant: the user %q is not there, and needs a password", g.User)
	}
	if !roleThere {
		if err := conn.AddRole(ctx, granted.Role); err != nil {
			return Granted{}, err
		}
	}
	for _, r := range missing { // in place of another one on the same range
		if err := conn.AddRight(ctx, granted.Role, r); err != nil {
			return Granted{}, err
		}
	}
	for _, r := range beyond {
		if slices.ContainsFunc(wanted, func(w etcd.Right) bool { return w.From == r.From && w.To == r.To }) {
			continue
		}
		if err := conn.TakeRight(ctx, granted.Role, r); err != nil {
			return Granted{}, err
		}
	}
	if !userThere {
		if err := conn.AddUser(ctx, g.User, password); err != nil {
			return Granted{}, err
		}
		granted.Made = true
	}
	if !slices.Contains(roles, granted.Role) {
		if err := conn.GiveRole(ctx, g.User, granted.Role); err != nil {
			return Granted{}, err
		}
	}
	granted.Others = others(roles, granted.Role)
	return granted, nil
}

// without returns the rights of all that are not among those of have.
func without(all, have []etcd.Right) []etcd.Right {
	return slices.DeleteFunc(slices.Clone(all), func(r etcd.Right) bool { return slices.Contains(have, r) })
}

func others(roles []string, but string) []string {
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return r == but })
}

// Grants returns what was granted in the namespace, in the order of the users.
func (c *Center) Grants(ctx context.Context) ([]Granted, error) {
	conn := c.etcd.Conn()
	checked, err := conn.ChecksUsers(ctx)
	if err != nil {
		return nil, err
	}
	roles, err := conn.Roles(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(roles)
	var all []Granted
	for _, role := range roles {
		user, ours := strings.CutPrefix(role, c.role(""))
		if !ours {
			continue
		}
		rights, _, err := conn.Role(ctx, role)
		if err != nil {
			return nil, err
		}
		has, _, err := conn.User(ctx, user)
		if err != nil {
			return nil, err
		}
		one := Granted{User: user, Role: role, Rights: shownRights(rights), Others: others(has, role), Checked: checked}
		if !slices.Contains(has, role) {
			one.User = "" // nobody has it
		}
		all = append(all, one)
	}
	return all, nil
}

// Revoke deletes the role of a user in the namespace and, unless there are other roles,
// the user. Who is connected cannot write from then on; a watch that is open goes on
// until its connection ends.
func (c *Center) Revoke(ctx context.Context, user string) error {
	conn, role := c.etcd.Conn(), c.role(user)
	_, roleThere, err := conn.Role(ctx, role)
	if err != nil {
		return err
	}
	roles, userThere, err := conn.User(ctx, user)
	if err != nil {
		return err
	}
	if !roleThere {
		return fmt.Errorf("revoke the grant of %q: %w: there is no role %q", user, ErrNotFound, role)
	}
	if userThere && slices.Contains(roles, role) && len(roles) == 1 {
		if err := conn.DeleteUser(ctx, user); err != nil {
			return err
		}
	}
	return conn.DeleteRole(ctx, role)
}
