// Package etcd connects to etcd. It and the two rooms below it are the only code
// that talks to etcd: mirror copies keys into memory, claim keeps keys alive.
//
// A Conn is one connection to a cluster. It is made without I/O, connects when
// it is first used, reconnects for ever, and says through Link how it is doing.
//
// The files: conn.go (requests), link.go (the state of the connection), members.go,
// dial.go, protocol.go, handshake.go and tls.go (how one is made), auth.go (logging
// in), explain.go (what an error means), cluster_watch.go (what to warn of), uses.go
// (what the rooms below may use).
package etcd
