// Package api names the handler of go-micro v2's API gateway that passes requests to
// a service that takes requests as they came over HTTP, api/proto.Request, and returns api/proto.Response. It is frozen.
package api

// Handler is the name, for api.Endpoint.Handler and for the flag --handler of v2's gateway.
const Handler = "api"
