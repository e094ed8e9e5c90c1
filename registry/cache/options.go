package cache

import "time"

// Options are the settings of a cache.
type Options struct {
	// TTL is how long, at the least, a name that nobody looks up is kept up to
	// date; ten minutes are the minimum. How old an answer may be does not depend
	// on it: answers change as soon as the registry does.
	TTL time.Duration
	// MaxUnknownNames is how many names are followed of which no node was ever seen.
	// Zero or less means the default, 64.
	MaxUnknownNames int
}

// Option sets a field of Options.
type Option func(*Options)

// DefaultTTL is the TTL of a cache that is given none.
var DefaultTTL = time.Minute

// WithMaxUnknownNames sets how many names are followed of which no node was ever
// seen. Beyond it the one not looked up for the longest time is dropped, to be
// followed anew if it is looked up again.
func WithMaxUnknownNames(n int) Option {
	return func(o *Options) { o.MaxUnknownNames = n }
}

// WithTTL sets the TTL.
func WithTTL(ttl time.Duration) Option {
	return func(o *Options) { o.TTL = ttl }
}
