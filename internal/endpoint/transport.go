package endpoint

import "google.golang.org/grpc"

// State is how ready a connection is to take a call.
type State int32

const (
	// Idle: there is no connection, and nothing is known against one.
	Idle State = iota
	// Connecting: the connection is being made.
	Connecting
	// Ready: a call is written at once.
	Ready
	// Failing: the last attempt to connect failed.
	Failing
	// Silent: nothing was received for a while under calls that wait for an answer,
	// and a new connection is not answered either. A call may wait in vain.
	Silent
	// Closed: there will be no more calls.
	Closed
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"idle", "connecting", "ready", "failing", "silent", "closed"}[s]
}

// Conn is the connection to one endpoint. It costs little before its first call,
// and may be held for as long as one likes. Its methods are safe for concurrent
// use.
type Conn interface {
	// ClientConnInterface makes calls; the interface is grpc's, whatever carries
	// them.
	grpc.ClientConnInterface
	// State must be quick: it is asked several times for a call.
	State() State
	// Connect begins to connect, if the connection is idle. It does not wait.
	Connect()
	// Load is how busy the node is with the calls over the connection. It is the same
	// for as long as the connection is held.
	Load() *Load
}

// Transport makes connections of one kind.
type Transport interface {
	// Node returns the connection to a node. It may be closed after the node left.
	Node(Endpoint) (Conn, error)
	// Direct returns the connection to an endpoint that the program named.
	Direct(Endpoint) (Conn, error)
	// Recheck says that the nodes that are routed to have changed. It returns at
	// once.
	Recheck()
	// Close ends all connections and waits for what was started.
	Close()
}
