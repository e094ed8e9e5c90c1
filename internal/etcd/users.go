package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/authpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/refusal"
)

// Right is what a role may do with a range of keys.
type Right struct {
	From, To    string // To is the first key behind the range, "" means From alone
	Read, Write bool
}

// RightBelow is the right on the keys that begin with prefix.
func RightBelow(prefix string, write bool) Right {
	r := Below(prefix)
	return Right{r.From, r.To, true, write}
}

func (r Right) kind() clientv3.PermissionType {
	switch {
	case r.Read && r.Write:
		return clientv3.PermissionType(clientv3.PermReadWrite)
	case r.Write:
		return clientv3.PermissionType(clientv3.PermWrite)
	}
	return clientv3.PermissionType(clientv3.PermRead)
}

// ErrNotRoot says that users and roles are changed by who may do everything, and by
// nobody else.
var ErrNotRoot = errors.New("users and roles are seen and changed by a user with etcd's role root alone")

// administer is Do for what only root may do.
func (c *Conn) administer(ctx context.Context, op string, f func(context.Context, *clientv3.Client) error) error {
	err := c.Do(ctx, op, f)
	if refusal.Of(err) == refusal.Right {
		return fmt.Errorf("%w: %w", err, ErrNotRoot)
	}
	return err
}

// ChecksUsers reports whether etcd asks who somebody is. It needs no right.
func (c *Conn) ChecksUsers(ctx context.Context) (on bool, err error) {
	err = c.Do(ctx, "ask whether users are checked", func(ctx context.Context, client *clientv3.Client) error {
		// The answer to nobody's password is another one where none is wanted. The
		// request that asks for the status is unknown to etcd before 3.5.
		_, err := client.Authenticate(ctx, "nobody", "")
		if errors.Is(err, rpctypes.ErrAuthNotEnabled) {
			return nil
		}
		if on = !unanswered(err); on {
			return nil
		}
		return err
	})
	return on, err
}

// Role returns the rights of a role, in the order of their ranges.
func (c *Conn) Role(ctx context.Context, name string) (rights []Right, found bool, err error) {
	err = c.administer(ctx, fmt.Sprintf("read role %q", name), func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.RoleGet(ctx, name)
		if errors.Is(err, rpctypes.ErrRoleNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		for _, p := range answer.Perm {
			rights = append(rights, Right{string(p.Key), string(p.RangeEnd), p.PermType != authpb.WRITE, p.PermType != authpb.READ})
		}
		slices.SortFunc(rights, func(a, b Right) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
		return nil
	})
	return rights, found, err
}

// Roles returns the names of all roles.
func (c *Conn) Roles(ctx context.Context) (names []string, err error) {
	err = c.administer(ctx, "list roles", func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.RoleList(ctx)
		if err == nil {
			names = answer.Roles
		}
		return err
	})
	return names, err
}

// User returns the roles of a user.
func (c *Conn) User(ctx context.Context, name string) (roles []string, found bool, err error) {
	err = c.administer(ctx, fmt.Sprintf("read user %q", name), func(ctx context.Context, client *clientv3.Client) error {
		answer, err := client.UserGet(ctx, name)
		if errors.Is(err, rpctypes.ErrUserNotFound) {
			return nil
		}
		if err == nil {
			roles, found = answer.Roles, true
		}
		return err
	})
	return roles, found, err
}

// AddRole makes a role without rights.
func (c *Conn) AddRole(ctx context.Context, role string) error {
	return c.administer(ctx, fmt.Sprintf("add role %q", role), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.RoleAdd(ctx, role)
		return err
	})
}

// AddRight gives a role a right, in place of the one that it has on the same range.
func (c *Conn) AddRight(ctx context.Context, role string, r Right) error {
	return c.administer(ctx, fmt.Sprintf("give role %q a right", role), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.RoleGrantPermission(ctx, role, r.From, r.To, r.kind())
		return err
	})
}

// TakeRight takes a right from a role.
func (c *Conn) TakeRight(ctx context.Context, role string, r Right) error {
	return c.administer(ctx, fmt.Sprintf("take a right from role %q", role), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.RoleRevokePermission(ctx, role, r.From, r.To)
		return err
	})
}

// DeleteRole deletes a role, and takes it from who has it.
func (c *Conn) DeleteRole(ctx context.Context, role string) error {
	return c.administer(ctx, fmt.Sprintf("delete role %q", role), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.RoleDelete(ctx, role)
		return err
	})
}

// AddUser makes a user without roles.
func (c *Conn) AddUser(ctx context.Context, user, password string) error {
	return c.administer(ctx, fmt.Sprintf("add user %q", user), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.UserAdd(ctx, user, password)
		return err
	})
}

// GiveRole gives a user a role.
func (c *Conn) GiveRole(ctx context.Context, user, role string) error {
	return c.administer(ctx, fmt.Sprintf("give user %q role %q", user, role), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.UserGrantRole(ctx, user, role)
		return err
	})
}

// DeleteUser deletes a user.
func (c *Conn) DeleteUser(ctx context.Context, user string) error {
	return c.administer(ctx, fmt.Sprintf("delete user %q", user), func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.UserDelete(ctx, user)
		return err
	})
}
