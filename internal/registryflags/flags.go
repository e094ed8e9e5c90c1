// Package registryflags has the flags that say where a registry is and how to be
// let in, and turns what was given into options of a registry. Services and the
// command read them here alike.
package registryflags

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The names of the flags.
const (
	Address      = "registry_address"
	User         = "registry_user"
	Password     = "registry_password"
	PasswordFile = "registry_password_file"
	Token        = "registry_token"
	TokenFile    = "registry_token_file"
	CA           = "registry_tls_ca"
	Cert         = "registry_tls_cert"
	Key          = "registry_tls_key"
	ServerName   = "registry_tls_server_name"
	Namespace    = "namespace"
)

// DefaultAddress is where etcd is when nobody says where.
const DefaultAddress = "127.0.0.1:2379"

// consulAddress is where an agent of Consul is.
const consulAddress = "127.0.0.1:8500"

// Names returns the names of all flags, in the order in which they are read.
func Names() []string {
	var names []string
	for _, f := range Flags() {
		names = append(names, f.Names()[0])
	}
	return names
}

// Without returns the names of all flags but the given ones.
func Without(names ...string) []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return slices.Contains(names, name) })
}

// Flags returns the flags. They are the caller's: a parser writes into them.
func Flags() []cli.Flag {
	flag := func(name, without, usage string) cli.Flag {
		// The default text is never left out: the parser would show what the variable
		// holds instead.
		return &cli.StringFlag{Name: name, EnvVars: []string{Variable(name)}, DefaultText: without, Usage: usage, Category: "Registry"}
	}
	return []cli.Flag{
		flag(Address, "etcd: "+DefaultAddress+", consul: "+consulAddress, "comma-separated `HOST:PORT` of the registry's servers; of several registries NAME=HOST:PORT begins those of NAME"),
		flag(User, "no login", "log in to the registry as `USER`"),
		flag(Password, "none", "log in with `PASSWORD`; other users of the host see it on the command line, but not in the variable"),
		flag(PasswordFile, "none", "log in with the password in `FILE`, which is read again when it has changed"),
		flag(Token, "none", "show the registry the access `TOKEN`; other users of the host see it on the command line, but not in the variable"),
		flag(TokenFile, "none", "show the token in `FILE`, which is read again when it has changed"),
		flag(CA, "the system's", "trust the authorities whose certificates are in `FILE`; this and the next two are read again when they have changed"),
		flag(Cert, "none", "show the registry the certificate in `FILE`"),
		flag(Key, "none", "the private key of that certificate is in `FILE`"),
		flag(ServerName, "the host of the address", "the registry's certificate must be for `NAME`"),
		flag(Namespace, "none, as go-micro v2", "keep to the part `NAME` of the registry: who is in one namespace never finds who is in another"),
	}
}

// Variable returns the name of the variable that stands for a flag.
func Variable(flag string) string { return "MICRO_" + strings.ToUpper(flag) }

// Given returns what was given for a flag or, if that is blank, by its variable: the
// parser does not look at the variable where the flag was given, even if empty.
func Given(c *cli.Context, name string) string {
	if v := c.String(name); strings.TrimSpace(v) != "" {
		return v
	}
	return os.Getenv(Variable(name))
}

// Error says what is wrong with the value of a flag, or of its variable.
type Error struct {
	Flag  string
	Value string // empty if it must not be shown
	Why   error
}

func (e *Error) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("--%s: %v", e.Flag, e.Why)
	}
	return fmt.Sprintf("--%s=%q: %s", e.Flag, e.Value, e.Reason())
}

// Reason says why the value is wrong and, if it is that of the variable, so.
func (e *Error) Reason() string {
	if e.Value != "" && source(e.Flag, e.Value) == Variable(e.Flag) {
		return fmt.Sprintf("%v (given by %s)", e.Why, Variable(e.Flag))
	}
	return e.Why.Error()
}

func (e *Error) Unwrap() error { return e.Why }

// Wrong returns the error about a value. An address with a user in it is not shown:
// the password may be there too.
func Wrong(name, value, format string, args ...any) error {
	if strings.Contains(value, "@") {
		value = ""
	}
	return &Error{Flag: name, Value: value, Why: fmt.Errorf(format, args...)}
}

// source names what the value came from, the flag or its variable.
func source(name, value string) string {
	if v := Variable(name); strings.TrimSpace(os.Getenv(v)) == strings.TrimSpace(value) {
		return v
	}
	return "--" + name
}

// isFlag reports whether the value came from the flag.
func isFlag(name, value string) bool { return source(name, value) != Variable(name) }

// CheckQuotes returns an error if the value is in quotes, which no shell has taken
// away: files of variables are often read by something else.
func CheckQuotes(name, value string) error {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return Wrong(name, value, "the quotes are part of the value; leave them out")
	}
	return nil
}
