// Package conn is the wire to nodes: one gRPC connection per address, made when
// the node is first chosen and shared by all calls and streams to it.
//
// A [Set] holds the connections that one client makes with one set of
// credentials. It closes those of nodes that left, once their calls have ended,
// and those that nobody used for long. How far each connection is can be read at
// any time without asking grpc: a small load-balancing policy around pick_first
// reports it.
package conn
