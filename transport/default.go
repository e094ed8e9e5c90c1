package transport

import "github.com/rollcall-go/micro/internal/defaults"

// DefaultTransport is what services are given that choose no transport. It belongs
// to the program; set it before the first service is made.
var DefaultTransport = NewTransport()

// DefaultDialTimeout bounds dialing where nothing else is said.
var DefaultDialTimeout = defaults.DialTimeout
