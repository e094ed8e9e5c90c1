// Package debug is the root of what a service tells about itself: its log (debug/log),
// its numbers (debug/stats), its traces (debug/trace) and its profiles (debug/profile).
//
// A service made by micro.NewService answers for the first three by a handler named
// Debug, as go-micro v2's do: debug/service/handler. `micro health`, `micro stats`,
// `micro logs` and `micro trace` ask it.
package debug

// DefaultName is the service whose log debug/service reads where nobody names one.
var DefaultName = "go.micro.debug"
