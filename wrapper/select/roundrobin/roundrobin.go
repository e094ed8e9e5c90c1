// Package roundrobin takes the nodes of a service in turn, call by call, whatever strategy
// the client has otherwise.
package roundrobin

import (
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/wrapping"
)

// NewClientWrapper returns a wrapper that adds selector.RoundRobin to the options of each
// call and each stream. A strategy among the options of a call itself goes before it.
// client.SelectorOptions(selector.SetStrategy(selector.RoundRobin)) says the same for a
// whole client at no cost.
func NewClientWrapper() client.Wrapper {
	return wrapping.WithOptions(client.WithSelectOption(selector.WithStrategy(selector.RoundRobin)))
}
