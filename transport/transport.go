// Package transport is the contract of connections that carry messages with
// headers. Calls between services do not use it: they go over gRPC. The types are
// here because options of clients and servers name them.
package transport

// Transport makes connections. Its methods may be called from any goroutine.
type Transport interface {
	// Init applies options.
	Init(...Option) error
	// Options returns the settings in force.
	Options() Options
	// Dial connects to an address, host:port.
	Dial(addr string, opts ...DialOption) (Client, error)
	// Listen waits for connections on an address, host:port. An empty port, or
	// 0, lets the system choose.
	Listen(addr string, opts ...ListenOption) (Listener, error)
	// String names the implementation.
	String() string
}

// Message is what a connection carries.
type Message struct {
	Header map[string]string
	Body   []byte
}

// Socket is one end of a connection. Recv and Send may run at the same time, each
// in one goroutine.
type Socket interface {
	// Recv fills in the message with the next one that arrives.
	Recv(*Message) error
	// Send sends the message. It does not keep it.
	Send(*Message) error
	// Close ends the connection, and with it Recv and Send.
	Close() error
	// Local is the address of this end.
	Local() string
	// Remote is the address of the other end.
	Remote() string
}

// Client is the end of a connection that dialed.
type Client interface {
	Socket
}

// Listener accepts connections.
type Listener interface {
	// Addr is the address, with the port that is really used.
	Addr() string
	// Close ends Accept.
	Close() error
	// Accept calls the function for each connection, in a goroutine of its own,
	// until Close.
	Accept(func(Socket)) error
}
