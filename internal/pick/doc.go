// Package pick chooses the node of a service that a call goes to.
//
// It works on snapshots of package discovery and knows neither connections nor
// wire formats; how ready a node is, it is told by a function. A [Picker] begins
// a [Call], whose Next yields one node per attempt.
//
// The built-in strategies, random and round robin, look only for nodes not yet
// tried in this call. A node that they yield and that is not ready is named to
// the caller, to be connected in the background, while the call goes to a ready
// one; once connected it takes its share. Suspects come after all nodes that are
// registered. A strategy that the program wrote is obeyed as it is.
package pick
