package defaults

import "sync/atomic"

// The constructors behind the contracts of the same names. Each holds a
// func(...Option) returning the contract's interface, with the contract's own
// Option type.
var (
	Client   Hook
	Server   Hook
	Registry Hook
	Store    Hook
	Tracer   Hook
	Broker   Hook
)

// Hook is the place where an implementation leaves its constructor and where
// the contract, which must not import the implementation, finds it. The zero
// value is empty. It is safe for concurrent use.
type Hook struct {
	fn atomic.Pointer[any]
}

// Set puts fn in place of what was there; nil empties the hook. It returns
// true so that a package-level declaration can call it:
//
//	var _ = defaults.Client.Set(NewClient)
func (h *Hook) Set(fn any) bool {
	if fn == nil {
		h.fn.Store(nil)
		return true
	}
	h.fn.Store(&fn)
	return true
}

// Load returns what the hook holds. It reports false for an empty hook and for
// one that holds something other than an F.
func Load[F any](h *Hook) (F, bool) {
	p := h.fn.Load()
	if p == nil {
		var zero F
		return zero, false
	}
	fn, ok := (*p).(F)
	return fn, ok
}
