package ability

import "github.com/rollcall-go/micro/registry"

// Placeholder is a registry that stands for the default, or for one that is chosen
// later: what is asked of it, it asks of that one. registry.DefaultRegistry is one,
// unless the program puts another registry there.
type Placeholder interface {
	registry.Registry
	// Unwrap returns what was chosen, otherwise the default, nil if the program has
	// none.
	Wrapper
	// Chosen reports whether a registry was chosen.
	Chosen() bool
	// Changed is closed when another registry is behind the placeholder than now.
	Changed() <-chan struct{}
	// Choose puts r behind the placeholder, unless one was chosen already.
	Choose(r registry.Registry)
	// Forget takes r away again, if it is r that is there.
	Forget(r registry.Registry)
}
