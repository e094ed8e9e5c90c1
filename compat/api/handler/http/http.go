// Package http names the handler of go-micro v2's API gateway that passes requests to
// an HTTP service, unchanged. It is frozen.
package http

// Handler is the name, for api.Endpoint.Handler and for the flag --handler of v2's gateway.
const Handler = "http"
