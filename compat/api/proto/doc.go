// Package go_api has what go-micro v2's api/proto has: the requests, answers and events that
// its API gateway exchanges with services. It is frozen.
package go_api
