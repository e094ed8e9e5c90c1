// Package ability names what a registry can do beyond the public contract.
//
// registry.Registry never grows. A backend that can do more has the methods of
// one of the interfaces here on the same value; whoever wants to use them asks
// [As], which also looks through wrappers, as errors.As looks through errors.
package ability
