// Package testkit is what the tests of this module share: a check for goroutines
// left behind, a way to wait for a state, a rule for backends that are not there,
// a real etcd in a process of its own, and a proxy that breaks connections.
package testkit
