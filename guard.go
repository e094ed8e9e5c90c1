package micro

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/authcall"
	"github.com/rollcall-go/micro/server"
)

// guard is what a service does with an Auth that judges. With another, calls cost nothing.
type guard struct {
	auth atomic.Pointer[auth.Auth] // nil: none that judges

	mu sync.Mutex
	// on is the server that has the wrapper, at place among its wrappers: behind those
	// that the service was made with, and before those of Init, which see the account.
	on    server.Server
	place int
}

// current returns the Auth of the service, nil for none that judges.
func (g *guard) current() auth.Auth {
	if a := g.auth.Load(); a != nil {
		return *a
	}
	return nil
}

// judge has the server ask its Auth, from the moment on that it has one that judges.
func (s *service) judge() {
	g, to := &s.guard, s.Server()
	a := to.Options().Auth
	if !authcall.Judges(a) {
		g.auth.Store(nil)
		return
	}
	if a.Options().Namespace == "" {
		a.Init(auth.Namespace(auth.DefaultNamespace))
	}
	g.auth.Store(&a)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.on == to {
		return
	}
	g.on = to
	wrapper := authcall.Handler(func() auth.Auth { return to.Options().Auth })
	err := to.Init(func(o *server.Options) {
		o.HdlrWrappers = slices.Insert(slices.Clone(o.HdlrWrappers), min(g.place, len(o.HdlrWrappers)), wrapper)
	})
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = errors.Join(s.err, fmt.Errorf("have the server ask the auth %s: %w", a, err))
	}
}

// showing returns the client whose calls show the token of the service.
func (s *service) showing(c client.Client) client.Client {
	return authcall.Client(s.guard.current, s.account, c)
}

// account is the name of the account that a service makes for itself.
func (s *service) account() string {
	o := s.Server().Options()
	return o.Name + "-" + o.Id
}
