package etcd

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Conn is a connection to an etcd cluster. Its methods may be called by several
// goroutines at once.
type Conn struct {
	cfg Config
}

// Open checks cfg and returns a Conn. It does no I/O and starts nothing. What is
// wrong with cfg is kept and returned by Err and by every other method.
func Open(cfg Config) *Conn { return &Conn{cfg: cfg} }

// Err returns what is permanently wrong with the configuration, such as a
// malformed address, or nil.
func (c *Conn) Err() error { return nil }

// Client returns the etcd client once it can be used, that is once the user, if
// there is one, is authenticated. The first call starts connecting; the client
// is not necessarily connected. The caller must not close the client.
func (c *Conn) Client(ctx context.Context) (*clientv3.Client, error) { return nil, ErrClosed }

// Do calls f with a usable client and a ctx that ends after the configured
// timeout, and explains the error. op names the operation, as in "list services".
func (c *Conn) Do(ctx context.Context, op string, f func(context.Context, *clientv3.Client) error) error {
	return ErrClosed
}

// Explain adds to err the operation, the cause as far as the state of the
// connection shows it, and the addresses. It keeps err in the chain. The
// explanation of nil is nil.
func (c *Conn) Explain(op string, err error) error { return err }

// Addrs returns the addresses in force, host:port each.
func (c *Conn) Addrs() []string { return nil }

// Link returns the state of the connection now.
func (c *Conn) Link() Link { return Link{} }

// Suspect says that the connection of that generation answers no more. It is
// closed, and its address is avoided for some seconds if there are others. A
// generation that is over is ignored, as is the connection of Config.Client.
func (c *Conn) Suspect(generation uint64, reason error) {}

// Close ends the connection and all that was started here, and waits for it. It
// may be called more than once.
func (c *Conn) Close() error { return nil }
