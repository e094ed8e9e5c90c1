// Package balance holds the rules by which calls are shared out among the nodes of
// a service, as far as they can be told from what nodes say of themselves: weights,
// subsets, and how new a node is. It knows neither connections nor snapshots; package
// pick applies the rules.
package balance
