// Package conn is the gRPC transport to nodes: one connection per endpoint, made
// when the node is first called and shared by all calls and streams to it.
//
// A [Set] holds the connections of one client. A [Conn] is a node's; its calls go
// over wires, of which there is one as long as all goes well. A wire is a
// grpc.ClientConn and makes its connection anew when that broke. There are more:
//
//   - when the server allows no more calls on one connection (streams.go);
//   - when a connection fell silent under calls, until it is clear whether the node
//     or merely that connection is to blame (silence.go).
//
// A stream may rest, and then nothing is expected of its node but that it lives, which
// it is asked now and then (pulse.go).
//
// The set closes the connections of nodes that left, once their calls have ended,
// and those that nobody used for long (sweep.go).
//
// Goroutines: sweep, from the first connection on, and watch, from the first call
// on, both until [Set.Close], which waits for them; and one for each ping.
package conn
