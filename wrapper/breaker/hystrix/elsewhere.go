package hystrix

import (
	"runtime/debug"
	"slices"
	"sync"

	"github.com/rollcall-go/micro/logger"
)

// other is the module whose settings programs of v2 made.
const other = "github.com/afex/hystrix-go"

var told sync.Once

// tellOfOther warns, once in a process, if the program is made with the other module as well:
// it may configure its commands there, where nobody reads it.
func tellOfOther(modules []*debug.Module) {
	if slices.ContainsFunc(modules, func(m *debug.Module) bool { return m.Path == other }) {
		told.Do(func() {
			logger.Warnf("Wrapper [hystrix] Settings of commands are read from wrapper/breaker/hystrix alone: this program has %s as well: configure there what it calls itself, and commands of the wrapper here", other)
		})
	}
}

// modules returns those that the program is made of, as far as it knows.
func modules() []*debug.Module {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Deps
	}
	return nil
}
