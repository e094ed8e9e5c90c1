// Package etcd is the only code that connects to etcd; whoever has a request of its
// own sends it through Conn.Do. In the rooms below, mirror copies keys into memory,
// claim keeps keys alive, and layout says which keys are ours.
//
// A Conn is one connection to a cluster. It is made without I/O, connects when
// it is first used, reconnects for ever, and says through Link how it is doing.
//
// The files: conn.go (requests), link.go (the state of the connection), members.go,
// dial.go, protocol.go, handshake.go and tls.go (how one is made), auth.go (logging
// in), explain.go (what an error means), cluster_watch.go (what to warn of), uses.go
// (what the rooms below may use).
package etcd
