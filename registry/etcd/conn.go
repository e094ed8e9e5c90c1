package etcd

import (
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
)

// Conn returns the connection in force, for a source of configuration that shares it.
// It ends with the registry, or with an Init, after which there is another one. The
// caller must not close it.
func (b *backend) Conn() *etcd.Conn { return b.current().conn }

// Layout returns where the keys of the registry's namespace are, for the configuration
// centre, whose keys lie in the same one.
func (b *backend) Layout() layout.Layout { return b.current().layout }

// Keeper returns what keeps keys over that connection, for a source of configuration whose
// keys are to live as long as the nodes registered over it. It ends with the connection.
func (b *backend) Keeper() *claim.Keeper { return b.current().keeper }
