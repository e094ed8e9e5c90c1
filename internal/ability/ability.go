package ability

import (
	"context"
	"reflect"

	"github.com/rollcall-go/micro/registry"
)

// Wrapper is a registry around another one. Having Unwrap promises that what is
// registered, and what is known of it, is the same in both: callers use the
// abilities of the inner registry directly.
type Wrapper interface {
	Unwrap() registry.Registry
}

// As returns the first value that is a T among r and the registries that it
// wraps, outermost first.
func As[T any](r registry.Registry) (T, bool) {
	for r != nil {
		if found, ok := any(r).(T); ok {
			return found, true
		}
		w, ok := r.(Wrapper)
		if !ok {
			break
		}
		r = w.Unwrap()
	}
	var none T
	return none, false
}

// Same reports whether a and b are one registry, or one store. Of a kind that cannot be
// compared, a program is taken to use one.
func Same(a, b any) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	return a == nil || !reflect.ValueOf(a).Comparable() || !reflect.ValueOf(b).Comparable() || a == b
}

// Named reports whether r, or a registry that it wraps, goes by the name. What stands
// for one that is chosen later goes by none.
func Named(r registry.Registry, name string) bool {
	for r != nil {
		if _, ok := r.(Placeholder); ok {
			return false
		}
		if r.String() == name {
			return true
		}
		w, ok := r.(Wrapper)
		if !ok {
			return false
		}
		r = w.Unwrap()
	}
	return false
}

// Renewer is a registry that may renew registrations by itself. A registration in
// any other is renewed by registering it again every third of its time to live.
type Renewer interface {
	Renews() bool
}

// RegistrationObserver is a registry that watches over what was registered
// through it: it puts a record back that vanished and steps aside when another
// owner holds the record.
type RegistrationObserver interface {
	// ObserveRegistration reports every change in the status of the given node's
	// record to observe, beginning with the present one, until stop is called.
	// Calls come one at a time and must return quickly; none comes after stop
	// returned.
	ObserveRegistration(service, node string, observe func(Status)) (stop func())
}

// Pauser is a registry in which an operator can take nodes out.
type Pauser interface {
	// Paused returns the ids of the nodes of the service that are taken out, be
	// they running or not.
	Paused(ctx context.Context, service string) ([]string, error)
}

// NameLister is a registry that can list the names of its services for less than
// the price of ListServices.
type NameLister interface {
	// Names returns the names of all services, sorted.
	Names(ctx context.Context) ([]string, error)
}

// Checker is a registry that can tell, without asking anybody, that it will never
// work: an address that is malformed, no backend chosen.
type Checker interface {
	// Err returns what makes the registry unusable for ever, nil if nothing does.
	Err() error
}

// Check returns what makes r unusable for ever, nil if nothing known does.
func Check(r registry.Registry) error {
	if c, ok := As[Checker](r); ok {
		return c.Err()
	}
	return nil
}

// Renews reports whether r renews registrations by itself.
func Renews(r registry.Registry) bool {
	renewer, ok := As[Renewer](r)
	return ok && renewer.Renews()
}
