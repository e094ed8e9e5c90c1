// Package secure puts calls on TLS: what options and flags say of it, the handshake of
// either end, who a peer has to be, and what a failure means and how to mend it.
//
// Whether a connection is secured is never guessed, neither from a port nor from a
// name: an address says so (https://), the client's settings, or the node's metadata.
package secure
