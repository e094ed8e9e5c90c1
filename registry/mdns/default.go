package mdns

import "github.com/rollcall-go/micro/internal/defaults"

// What registry.NewRegistry returns, in a program that links this package.
var _ = defaults.Registry.Set(NewRegistry)
