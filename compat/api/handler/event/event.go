// Package event names the handler of go-micro v2's API gateway that passes requests to
// the topic of a service, as messages of type api/proto.Event. It is frozen.
package event

// Handler is the name, for api.Endpoint.Handler and for the flag --handler of v2's gateway.
var Handler = "event"
