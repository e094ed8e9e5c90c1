// Package credentials has what lets a program into a registry, apart from tls.Config.
package credentials

import "github.com/rollcall-go/micro/internal/reload"

// Credentials travel as one value in the Context of a registry's options, where the
// options of a backend and the flags of a command line each change their part. What is
// empty was not given. A backend uses what it has a use for.
type Credentials struct {
	Username, Password string
	PasswordFile       string
	Token, TokenFile   string
	TLSFiles           reload.Files
}
