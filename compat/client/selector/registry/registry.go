// Package registry is where go-micro v2 has a second name for the selector that looks
// nodes up in the registry. It is frozen: new code takes package client/selector.
package registry

import (
	"time"

	"github.com/rollcall-go/micro/client/selector"
)

// NewSelector returns selector.NewSelector(opts...).
func NewSelector(opts ...selector.Option) selector.Selector { return selector.NewSelector(opts...) }

// TTL has no effect: what is known of a service is kept up to date by the registry's
// events, and does not age.
func TTL(time.Duration) selector.Option { return func(*selector.Options) {} }
