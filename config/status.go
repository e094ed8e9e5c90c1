package config

import "github.com/rollcall-go/micro/config/source"

// Status returns how far each source of c can be trusted, in the order in which they
// were loaded: whether it is followed, since when not, and which values it refused. It
// returns nil for a Config whose Loader cannot tell.
func Status(c Config) []source.Status {
	if l, ok := c.Options().Loader.(interface{ Status() []source.Status }); ok {
		return l.Status()
	}
	return nil
}
