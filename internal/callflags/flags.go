// Package callflags has the flags that say how calls are secured, and turns what was
// given into what servers and clients go by. Services and the command read them here
// alike.
package callflags

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/secure"
)

// The names of the flags.
const (
	ServerCert     = "server_tls_cert"
	ServerKey      = "server_tls_key"
	ServerClientCA = "server_tls_client_ca"
	ServerAllow    = "server_tls_allow"
	ServerMode     = "server_tls_mode"

	ClientCA         = "client_tls_ca"
	ClientCert       = "client_tls_cert"
	ClientKey        = "client_tls_key"
	ClientServerName = "client_tls_server_name"
	ClientIdentity   = "client_tls_identity"
	ClientMode       = "client_tls_mode"
)

// The modes.
const (
	only    = "only"    // a server speaks TLS alone
	both    = "both"    // and plaintext on the same port
	require = "require" // a client calls by TLS alone
	prefer  = "prefer"  // and those that do not say they speak it in plaintext
)

// flag returns a flag; without is what holds without it, which is never left out: the
// parser would show what the variable holds instead.
func flag(category, name, without, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, EnvVars: []string{registryflags.Variable(name)}, DefaultText: without, Usage: usage, Category: category}
}

// ServerFlags returns the flags of a server. They are the caller's: a parser writes into
// them.
func ServerFlags() []cli.Flag {
	const category = "TLS of calls"
	return []cli.Flag{
		flag(category, ServerCert, "plaintext", "speak TLS with the certificate in `FILE`; this and the next two are read again when they have changed"),
		flag(category, ServerKey, "plaintext", "the private key of that certificate is in `FILE`"),
		flag(category, ServerClientCA, "callers show none", "callers have to show a certificate of the authorities in `FILE`"),
		flag(category, ServerAllow, "everybody", "comma-separated `NAMES` of the callers that are let in: DNS names and URIs of their certificates; a * at the end stands for whatever may follow"),
		flag(category, ServerMode, only+" with a certificate", only+": calls by TLS alone; "+both+": in plaintext too, while a fleet is moved"),
	}
}

// ClientFlags returns the flags of a client. They are the caller's.
func ClientFlags() []cli.Flag {
	const category = "TLS of calls"
	return []cli.Flag{
		flag(category, ClientCA, "the system's", "call by TLS, and trust the authorities in `FILE`; this and the next two are read again when they have changed"),
		flag(category, ClientCert, "none", "show nodes that ask for it the certificate in `FILE`"),
		flag(category, ClientKey, "none", "the private key of that certificate is in `FILE`"),
		flag(category, ClientServerName, "as "+ClientIdentity+" says", "the certificate of every node must be for `NAME`"),
		flag(category, ClientIdentity, secure.ByHost, "whom a node's certificate must be for: "+secure.ByHost+" of its address, "+secure.ByService+" that is called, or a URI such as spiffe://example.org/"+secure.Service),
		flag(category, ClientMode, require+" with any of these", require+": call by TLS alone; "+prefer+": nodes that do not say they speak it in plaintext, while a fleet is moved"),
	}
}

// read calls set with what was given for each of the flags, in their order, until it
// returns an error.
func read(flags []cli.Flag, given func(flag string) string, set func(flag, value string) error) error {
	for _, f := range flags {
		name := f.Names()[0]
		value := strings.TrimSpace(given(name))
		if value == "" {
			continue
		}
		if err := registryflags.CheckQuotes(name, value); err != nil {
			return err
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// mode returns an error unless value is one of the two modes of a flag.
func mode(flag, value, one, other string) error {
	if value != one && value != other {
		return registryflags.Wrong(flag, value, "want %s or %s", one, other)
	}
	return nil
}
