// Package planted reads the environment in each of the ways that the guard must
// find.
package planted

import (
	"os"
	"sync"
)

var direct, _ = os.LookupEnv("A")

var throughFunction = read()

func read() string { return os.Getenv("B") }

var mentioned = wrap(os.Environ)

func wrap(f func() []string) []string { return f() }

// later runs after import and may read what it likes.
func later() string { return os.ExpandEnv("$C") }

var (
	kept = later
	once = sync.OnceValue(later)
)
