package etcd

import "github.com/rollcall-go/micro/internal/reload"

// Access is what lets a program into a cluster, apart from tls.Config. It travels
// as one value in the Context of a registry's options, where the options of
// registry/etcd and the flags of a command line each change their part of it.
type Access struct {
	Username, Password string
	PasswordFile       string
	TLSFiles           reload.Files
}
