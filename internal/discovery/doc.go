// Package discovery holds what is known of the services that a process uses.
//
// A [Directory] follows services by name and publishes an immutable [Snapshot]
// of each whenever something changed. Looking a followed name up takes no lock,
// allocates nothing and never waits for the registry: when the registry is away
// the last snapshot stays and tells its age.
//
// A snapshot has two sides. The registry view is what the registry says. The
// routing view, used by calls, may also hold suspects: nodes that vanished
// although nobody is known to have removed them, as happens when a registry
// loses its data while the services live on.
package discovery
