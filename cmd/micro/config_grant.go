package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

// grantCommands say who may read and write the configuration.
func grantCommands() []*cli.Command {
	return []*cli.Command{
		configSub("grant", "USER [PATH]", "let a user of etcd read or write", `Makes a user of etcd, with a password that is printed once, and a role of its own with
just the rights that it needs in the namespace: to read, or with --write to change values
and make releases; of all values, or of those at and below PATH. With --service NAME it is
the user that a service runs as. A user who is there is left as he is: what differs is
shown, and --change mends it.

   micro config grant ada --write
   micro config grant payments-team payments --write
   micro config grant shop --service shop --register
   micro config grant auditor --dry-run`, 1, 2, grantConfig,
			&cli.BoolFlag{Name: "write", Category: "Rights", Usage: "let the user change values and make releases", DisableDefaultText: true},
			&cli.StringFlag{Name: "service", Category: "Rights", Usage: "the user is that of the service `NAME`, which also says what it has applied", DefaultText: "a person"},
			&cli.BoolFlag{Name: "register", Category: "Rights", Usage: "let the service register and find others", DisableDefaultText: true},
			&cli.BoolFlag{Name: "change", Category: "Rights", Usage: "change the rights of a user who is there", DisableDefaultText: true},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be granted, and change nothing", DisableDefaultText: true},
			&cli.StringFlag{Name: "password-from", Usage: "read the password of a new user from `FILE`, - is standard input", DefaultText: "one is made and printed"}),
		configSub("grants", "", "list who may read and write", `Lists the users that "micro config grant" made in the namespace, with their rights.

   micro config grants -o json`, 0, 0, listGrants),
		configSub("revoke", "USER", "take back what was granted", `Deletes the role of the user in the namespace and, unless it has other roles, the user.

   micro config revoke ada`, 1, 1, revokeGrant),
	}
}

// oneGrant is a grant as the command shows it.
type oneGrant struct {
	center.Granted
	Password string `json:"password,omitempty"` // of a user that was made, if it was made up here
	planned  bool
}

var _ result = oneGrant{}

func (g oneGrant) value() any { return g }

func (g oneGrant) table(w screen) error {
	switch {
	case g.planned:
		w.line("user %s would have the role %s; nothing was written", g.User, g.Role)
	case g.Made:
		w.line("user %s was made, with the role %s", g.User, g.Role)
	case g.Changed:
		w.line("user %s has the role %s; it was changed, and the password stays", g.User, g.Role)
	default:
		w.line("user %s has the role %s already; nothing was changed, and the password stays", g.User, g.Role)
	}
	for _, r := range g.Rights {
		w.line("  may %s", r)
	}
	if len(g.Others) > 0 {
		w.line("  and what these roles allow: %s", strings.Join(g.Others, ", "))
	}
	if g.Password != "" {
		w.line("password, shown this once: %s", g.Password)
	}
	return nil
}

func grantConfig(s *configSession) error {
	path, err := pathArgument(s.Context, 1)
	if err != nil {
		return err
	}
	g := center.Grant{
		User: s.Args().First(), Path: path,
		Write: s.Bool("write"), Service: s.String("service"), Register: s.Bool("register"),
	}
	planned, err := s.PlanGrant(g)
	if err != nil {
		return &usageError{err.Error()}
	}
	if s.Bool("dry-run") {
		return show(s.Context, oneGrant{planned, "", true})
	}
	password, made := rand.Text(), true
	if from := s.String("password-from"); from != "" {
		made = false
		if password, err = newPassword(s.Context, from); err != nil {
			return err
		}
	}
	granted, err := s.Grant(s.Context.Context, g, password, s.Bool("change"))
	var differs *center.GrantedError
	if errors.As(err, &differs) {
		return fmt.Errorf("%w; --change makes it what was asked for", err)
	}
	if err != nil {
		return err
	}
	shown := oneGrant{Granted: granted}
	if granted.Made && made {
		shown.Password = password
	}
	if !granted.Made && !made {
		stderr(s.Context).note("the user was there and keeps the password; `etcdctl user passwd %s` gives another one", g.User)
	}
	s.unchecked(granted.Checked)
	return show(s.Context, shown)
}

// unchecked says what grants are worth where etcd asks nobody who he is.
func (s *configSession) unchecked(checked bool) {
	if !checked {
		stderr(s.Context).note("etcd does not check users: whoever reaches it may do everything. Give everybody who uses it a user, root too (`etcdctl user add root`, `etcdctl user grant-role root root`), then `etcdctl auth enable`")
	}
}

// newPassword reads a password from a file, without the end of its line.
func newPassword(c *cli.Context, from string) (string, error) {
	text, err := fileOf(c, from)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("read the password: %q is empty: %w", from, os.ErrInvalid)
	}
	return password, nil
}

type grants []center.Granted

var _ result = grants{}

func (all grants) value() any { return append([]center.Granted{}, all...) }

func (all grants) table(w screen) error {
	if len(all) == 0 {
		w.line("nothing was granted here")
		return nil
	}
	for _, g := range all {
		user := g.User
		if user == "" {
			user = "nobody"
		}
		w.line("%s, by the role %s", user, g.Role)
		for _, r := range g.Rights {
			w.line("  may %s", r)
		}
		if len(g.Others) > 0 {
			w.line("  and what these roles allow: %s", strings.Join(g.Others, ", "))
		}
	}
	return nil
}

func listGrants(s *configSession) error {
	all, err := s.Grants(s.Context.Context)
	if err != nil {
		return err
	}
	s.unchecked(len(all) == 0 || all[0].Checked)
	return show(s.Context, grants(all))
}

// revoked names the user who has lost a grant.
type revoked struct {
	User string `json:"user"`
}

var _ result = revoked{}

func (r revoked) value() any { return r }

func (r revoked) table(w screen) error {
	w.line("user %s has lost what was granted here; a watch that is open goes on until its connection ends", r.User)
	return nil
}

func revokeGrant(s *configSession) error {
	user := s.Args().First()
	if err := s.Revoke(s.Context.Context, user); err != nil {
		return err
	}
	return show(s.Context, revoked{user})
}
