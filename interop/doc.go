// Package interop has tests alone: real go-micro v2.9.1 and this module share one
// etcd and call each other.
//
// Both sides are the same program, v2peer, a module of its own that requires v2.
// The tests build it as it stands, and once more as ourpeer, with nothing changed
// but import paths. That alone shows that such programs, generated code included,
// compile after the change. TestFaults puts both under the same faults.
package interop
