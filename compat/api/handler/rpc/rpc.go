// Package rpc names the handler of go-micro v2's API gateway that passes requests to
// an endpoint of a service, the body being its request. It is frozen.
package rpc

// Handler is the name, for api.Endpoint.Handler and for the flag --handler of v2's gateway.
const Handler = "rpc"
