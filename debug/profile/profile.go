// Package profile is the contract for what writes or serves profiles of a program while
// it runs: debug/profile/http and debug/profile/pprof.
//
// A service runs the one that it is given, from before its start to after its stop:
//
//	service := micro.NewService(micro.Profile(http.NewProfile()))
//
// --profile=http and --profile=pprof do the same.
package profile

// Profile profiles a program. Its methods may be used from any goroutine.
type Profile interface {
	// Start begins, if it has not.
	Start() error
	// Stop ends it and waits for the end.
	Stop() error
	// String names the implementation.
	String() string
}

// DefaultProfile profiles nothing. It is there for programs that look at it: a service
// runs the profile that it is given.
var DefaultProfile Profile = noop{}

type noop struct{}

func (noop) Start() error   { return nil }
func (noop) Stop() error    { return nil }
func (noop) String() string { return "noop" }

// Options are the settings of a profile.
type Options struct {
	// Name tells the profiles of several programs apart.
	Name string
}

// Option sets a field of Options.
type Option func(o *Options)

// Name sets what tells the profiles of several programs apart.
func Name(n string) Option {
	return func(o *Options) { o.Name = n }
}
