package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/authpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// adminRole may do everything.
const adminRole = "root"

// examineRights looks at what the roles of the user allow. Everybody may look at
// their own. It returns where the user may read records, nothing if that is
// everywhere or unknown.
func examineRights(ctx context.Context, cfg etcd.Config, keys layout.Layout, best *visit) (r report, readable []span) {
	if best.token == "" || best.status.Leader == 0 {
		return nil, nil
	}
	ctx = best.as(ctx)
	user, err := best.client.UserGet(ctx, cfg.Username)
	if err != nil {
		r.warn("auth.rights_unknown", cfg.Username, "see `etcdctl user get "+Shell(cfg.Username)+"` as root", "what the user may do cannot be told: %v", err)
		return r, nil
	}
	if slices.Contains(user.Roles, adminRole) {
		r.ok("auth.rights", cfg.Username, "the user may do everything")
		return r, nil
	}
	var rights []*authpb.Permission
	for _, name := range user.Roles {
		role, err := best.client.RoleGet(ctx, name)
		if err != nil {
			r.warn("auth.rights_unknown", cfg.Username, "see `etcdctl role get "+Shell(name)+"` as root", "what the role %q allows cannot be told: %v", name, err)
			return r, nil
		}
		rights = append(rights, role.Perm...)
	}
	role := "micro"
	if len(user.Roles) > 0 {
		role = user.Roles[0]
	}
	judgeRights(&r, keys, cfg.Username, role, rights, lax(best.status.Version))
	if root := keys.Services(); !covers(rights, authpb.READ, root) {
		readable = within(rights, authpb.READ, root)
	}
	return r, readable
}

// judgeRights says what the rights of a user are worth to a service that logs in
// as that user, and to the command. lax says that etcd lets it write all the same.
func judgeRights(r *report, keys layout.Layout, user, role string, rights []*authpb.Permission, lax string) {
	root, before := keys.Services(), len(*r)
	grant := func(prefix string) string {
		return fmt.Sprintf("`etcdctl role grant-permission --prefix %s readwrite %s`", Shell(role), prefix)
	}
	for _, right := range []struct {
		kind            authpb.Permission_Type
		code, do, means string
	}{
		{authpb.READ, "auth.no_read", "read", "no other service is found, nor listed by `micro list services`"},
		{authpb.WRITE, "auth.no_write", "write", "a service of another name that logs in as this user cannot register"},
	} {
		if covers(rights, right.kind, root) {
			continue
		}
		if right.kind == authpb.WRITE {
			right.means += lax
		}
		if parts := within(rights, right.kind, root); len(parts) > 0 {
			r.warn(right.code, user, "nothing if that is meant; else "+grant(root), "the user may %s under %s only, not all of %s: %s", right.do, names(texts(parts)), root, right.means)
			continue
		}
		means := "services are not found"
		if right.kind == authpb.WRITE {
			means = "a service that logs in as this user cannot register" + lax
		}
		r.problem(right.code, user, grant(root), "the user may not %s anything under %s: %s", right.do, root, means)
	}
	if own := keys.Own(); !covers(rights, authpb.READ, own) {
		r.warn("auth.no_pause", user, grant(own), "the user may not read all of %s: `micro node pause` has no effect on services that log in as this user", own)
	}
	if len(*r) == before {
		r.ok("auth.rights", user, "the user may read and write %s and read %s", root, keys.Own())
	}
}

// span is a range of keys, from one up to but without another.
type span struct{ from, to string }

// String returns the prefix that s is, or the key, or both ends.
func (s span) String() string {
	switch s.to {
	case clientv3.GetPrefixRangeEnd(s.from), s.from + open: // the second is a single key
		return s.from
	}
	return s.from + " to " + s.to
}

func texts(spans []span) []string {
	var all []string
	for _, s := range spans {
		all = append(all, s.String())
	}
	return all
}

// within returns the parts of prefix that the rights allow a kind of access to.
func within(rights []*authpb.Permission, kind authpb.Permission_Type, prefix string) []span {
	end := clientv3.GetPrefixRangeEnd(prefix)
	var parts []span
	for _, p := range rights {
		s := span{string(p.Key), string(p.RangeEnd)}
		switch s.to {
		case "":
			s.to = s.from + open
		case open:
			s.to = end
		}
		s.from, s.to = max(s.from, prefix), min(s.to, end)
		if (p.PermType == kind || p.PermType == authpb.READWRITE) && s.from < s.to && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	slices.SortFunc(parts, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return parts
}

// open is the end of a range that has none, and what comes next after a key.
const open = "\x00"

// covers reports whether the rights together allow a kind of access to all keys
// with a prefix.
func covers(rights []*authpb.Permission, kind authpb.Permission_Type, prefix string) bool {
	rights = slices.Clone(rights)
	slices.SortFunc(rights, func(a, b *authpb.Permission) int { return cmp.Compare(string(a.Key), string(b.Key)) })
	from, to := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for _, p := range rights {
		if p.PermType != kind && p.PermType != authpb.READWRITE || string(p.Key) > from {
			continue
		}
		end := string(p.RangeEnd)
		if end == open || end >= to {
			return true
		}
		from = max(from, end)
	}
	return false
}
