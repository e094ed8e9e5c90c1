// Package handler names what go-micro v2's API gateway hands requests to. It is frozen.
package handler

import "net/http"

// Handler answers requests of the gateway.
type Handler interface {
	http.Handler
	// String names the handler, as api.Endpoint.Handler does.
	String() string
}
