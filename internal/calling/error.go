package calling

import (
	"errors"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/registry"
)

// Tried reports whether err says that every node was tried in this call.
func Tried(err error) bool {
	var e *pick.Error
	return errors.As(err, &e) && e.Reason == pick.Tried
}

// NotFound lets errors.Is find the registry's sentinel beside the selector's in an error
// that says that nobody has a service. It returns other errors as they are.
func NotFound(err error) error {
	if errors.Is(err, selector.ErrNotFound) {
		return notFound{err}
	}
	return err
}

type notFound struct{ error }

func (n notFound) Unwrap() []error { return []error{n.error, registry.ErrNotFound} }
