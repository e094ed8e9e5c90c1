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

// apart is the prefix of the keys that belong to us alone.
const apart = "/micro/rollcall/"

// examineRights looks at what the roles of the user allow. Everybody may look at
// their own.
func examineRights(ctx context.Context, cfg etcd.Config, best *visit) []Finding {
	if best.token == "" || best.status.Leader == 0 {
		return nil
	}
	var r report
	ctx = best.as(ctx)
	user, err := best.client.UserGet(ctx, cfg.Username)
	if err != nil {
		r.warn("auth.rights_unknown", cfg.Username, "see `etcdctl user get "+Shell(cfg.Username)+"` as root", "what the user may do cannot be told: %v", err)
		return r
	}
	if slices.Contains(user.Roles, adminRole) {
		r.ok("auth.rights", cfg.Username, "the user may do everything")
		return r
	}
	var rights []*authpb.Permission
	for _, name := range user.Roles {
		role, err := best.client.RoleGet(ctx, name)
		if err != nil {
			r.warn("auth.rights_unknown", cfg.Username, "see `etcdctl role get "+Shell(name)+"` as root", "what the role %q allows cannot be told: %v", name, err)
			return r
		}
		rights = append(rights, role.Perm...)
	}
	grant := func(prefix, kind string) string {
		role := "micro"
		if len(user.Roles) > 0 {
			role = user.Roles[0]
		}
		return fmt.Sprintf("`etcdctl role grant-permission --prefix %s %s %s`", Shell(role), kind, prefix)
	}
	if !covers(rights, authpb.READ, layout.Layout{}.Services()) {
		r.problem("auth.no_read", cfg.Username, grant(layout.Layout{}.Services(), "readwrite"), "the user may not read all of %s: services are not found", layout.Layout{}.Services())
	}
	if !covers(rights, authpb.WRITE, layout.Layout{}.Services()) {
		r.problem("auth.no_write", cfg.Username, grant(layout.Layout{}.Services(), "readwrite"), "the user may not write all of %s: a service that logs in as this user cannot register", layout.Layout{}.Services())
	}
	if !covers(rights, authpb.READ, apart) {
		r.warn("auth.no_pause", cfg.Username, grant(apart, "readwrite"), "the user may not read all of %s: `micro node pause` has no effect on services that log in as this user", apart)
	}
	if len(r) == 0 {
		r.ok("auth.rights", cfg.Username, "the user may read and write %s and read %s", layout.Layout{}.Services(), apart)
	}
	return r
}

// covers reports whether the rights together allow a kind of access to all keys
// with a prefix.
func covers(rights []*authpb.Permission, kind authpb.Permission_Type, prefix string) bool {
	const open = "\x00" // as the end of a range: there is none
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
