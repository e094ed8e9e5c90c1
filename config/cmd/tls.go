package cmd

import (
	"fmt"

	"github.com/rollcall-go/micro/internal/registryflags"
)

// applyTLS adds to g what server and client have to be told of TLS. Those of the
// program's own have no use for it, and calls must not go out in plaintext where
// somebody asked for TLS.
func applyTLS(g *given, to Options) error {
	if flag := g.serverTLS.Given(); flag != "" && to.Server != nil {
		if name := (*to.Server).String(); name != ours {
			return noUse(flag, "server", name)
		}
		if err := g.serverTLS.Check((*to.Server).Options()); err != nil {
			return err
		}
		g.toServer = append(g.toServer, g.serverTLS.Option())
	}
	if flag := g.clientTLS.Given(); flag != "" && to.Client != nil {
		if name := (*to.Client).String(); name != ours {
			return noUse(flag, "client", name)
		}
		if err := g.clientTLS.Check((*to.Client).Options()); err != nil {
			return err
		}
		g.toClient = append(g.toClient, g.clientTLS.Option())
	}
	return nil
}

// ours is the name of the server and the client that know these flags.
const ours = "grpc"

func noUse(flag, part, name string) error {
	return &registryflags.Error{Flag: flag, Why: fmt.Errorf("the %s is %q, the program's own, which has no use for it; set its TLS up in code, or leave the flag and its variable out", part, name)}
}
