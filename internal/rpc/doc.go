// Package rpc is what calls look like on the wire, from either end: paths,
// bodies, headers, errors, and the table of methods behind a handler. The client
// and the server share it, so that neither has a copy of the other's half.
package rpc
