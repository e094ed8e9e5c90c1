package ability

import "github.com/rollcall-go/micro/registry"

// Placeholder is a registry that stands in for one that is chosen later: what is
// asked of it, it asks of that one. registry.DefaultRegistry is one, unless the
// program puts another registry there.
type Placeholder interface {
	registry.Registry
	// Unwrap returns what was chosen, nil until then.
	Wrapper
	// Chosen is closed once there is something behind the placeholder.
	Chosen() <-chan struct{}
	// Choose puts r behind the placeholder, unless there is something already.
	Choose(r registry.Registry)
	// Forget takes r away again, if it is r that is there.
	Forget(r registry.Registry)
}
