package handler

import (
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/server"
)

// all are the names of the methods, in the order of what they give away, the harmless
// first.
var all = []string{"Health", "Stats", "Trace", "Log", "Cache"}

// Names returns the names of the methods.
func Names() []string { return append([]string(nil), all...) }

// chosen are the methods that a server is to serve, in its options.
type chosen struct{ methods []string }

// Methods returns the option of a server by which its service answers for these methods
// of Debug alone, such as "Health" and "Stats". Callers of another are told that it is
// switched off. Without any name there is no Debug.
//
//	service := micro.NewService()
//	service.Server().Init(handler.Methods("Health", "Stats"))
//
// It is to be given before the service starts.
func Methods(names ...string) server.Option {
	c := &chosen{append([]string{}, names...)}
	return func(o *server.Options) { o.Context = settings.With(o.Context, c) }
}

// MethodsOf returns what Methods chose in the options, nil if it was not given.
func MethodsOf(o server.Options) []string {
	if c, ok := settings.Of[*chosen](o.Context); ok {
		return c.methods
	}
	return nil
}
