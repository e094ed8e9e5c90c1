// Package operate is what an operator does to the nodes of services in a registry:
// see them with what the registry knows of them, keep one out, let it back in, and
// take one out whose process is gone. It is for the command and for consoles; services
// do not link it.
package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// Operator operates one registry. Its methods may be called from several goroutines,
// end with their context, and return errors that name the registry. Where that refuses
// for lack of rights the error is an fs.ErrPermission.
type Operator interface {
	// Nodes returns the nodes of a service, also those that stand in the registry and
	// are not found by callers. Records that cannot be read are passed over, as every
	// reader does. Of several registries one may fail: then there are the nodes of the
	// others, with the error.
	Nodes(ctx context.Context, service string) ([]Node, error)
	// Standing returns what the registry knows of nodes beside their records, by their
	// ids. Nodes about which nothing can be learned are left out.
	Standing(ctx context.Context, nodes []Node) map[string]Standing
	// Pauses returns the paused nodes of a service, or of all services when service
	// is empty, sorted by service and node.
	Pauses(ctx context.Context, service string) ([]Pause, error)
	// Pause keeps a node out, from now on, for the reason. The node leaves when it
	// hears of it: see Await.
	Pause(ctx context.Context, service, node, by, reason string) error
	// Resume takes the pause of a node back: see Await.
	Resume(ctx context.Context, service, node string) error
	// Deregister takes a node out whose process is gone, so that every caller drops it
	// at once. With force also a node that seems to live is taken out.
	Deregister(ctx context.Context, n Node, force bool) error
}

// Node is one node with where it stands in the registry. It is used with the Operator
// alone whose Nodes returned it.
type Node struct {
	// Service is the record: one version of the service, with this node alone.
	Service *registry.Service
	*registry.Node
	// Hidden says that the node stands in the registry, and callers do not find it.
	Hidden bool
	// Deaf says that a pause would not keep the node out: its own process has to obey,
	// and that is one of go-micro v2.
	Deaf bool

	at any // the Operator's own
}

// Standing is what a registry knows of a node beside its record.
type Standing struct {
	Lease *Lease // nil where the registry has no leases
	Check string // the state of the node's health check, "" where there are none
}

// Pause keeps a node out of the registry for as long as it stands there. The node's
// process goes on. Who has paused it, when and why is as somebody wrote it, or empty.
type Pause struct {
	Service, Node  string
	By, At, Reason string
}

// ErrAlive is the error of Deregister for a node that seems to live: it would
// register again within seconds. It is wrapped with what shows that.
var ErrAlive = errors.New("it seems to be alive, and would register again; pause it to keep it out")

// ErrChanged is the error of Deregister for a node whose record was written
// meanwhile, by its process or by a new one.
var ErrChanged = errors.New("its record was written anew meanwhile: its process is alive")

// dialLimit is how long a node may take to accept a connection.
const dialLimit = time.Second

// answers returns what shows that something listens at the node's address, "" if
// nothing does.
func answers(ctx context.Context, n Node) string {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.Address)
	if err != nil {
		return ""
	}
	_ = conn.Close() // nothing was sent over it
	return fmt.Sprintf("something answers at %s", n.Address)
}

// quoted names the node of a service in what is being done.
func quoted(doing, service, node string) string {
	return fmt.Sprintf("%s node %q of %q", doing, node, service)
}
