package web

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/enroll"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
)

// ownSettings are the options of this package that go-micro v2 does not have. They travel
// in Options.Context and are not changed once they are there.
type ownSettings struct {
	wait, delay, grace time.Duration
	readiness          string // the path, empty for none
	events             func(Event)
}

var defaultSettings = ownSettings{
	wait:  defaults.RegistrationWait,
	delay: defaults.DeregisterDelay,
	grace: defaults.StopGrace,
}

// settingsOf returns the settings in ctx, which may be nil.
func settingsOf(ctx context.Context) *ownSettings {
	if s, ok := settings.Of[*ownSettings](ctx); ok {
		return s
	}
	return &defaultSettings
}

// set returns the option that changes a copy of the settings.
func set(change func(*ownSettings)) Option {
	return func(o *Options) {
		next := *settingsOf(o.Context)
		change(&next)
		o.Context = settings.With(o.Context, &next)
	}
}

// keepSettings returns ctx with the settings of this package that old has and ctx has not,
// so that the order of options does not matter.
func keepSettings(ctx, old context.Context) context.Context {
	if own, ok := settings.Of[*ownSettings](old); ok {
		if _, ok := settings.Of[*ownSettings](ctx); !ok {
			ctx = settings.With(ctx, own)
		}
	}
	if own, ok := settings.Of[*secure.Server](old); ok {
		if _, ok := settings.Of[*secure.Server](ctx); !ok {
			ctx = settings.With(ctx, own)
		}
	}
	return ctx
}

// RegistrationWait sets how long the start waits for the first registration. The service
// serves meanwhile, and after that registers beside. The default is 1 s; zero means not to wait.
func RegistrationWait(d time.Duration) Option { return set(func(s *ownSettings) { s.wait = d }) }

// DeregisterDelay sets how long a stopping service goes on taking requests once it has
// deregistered, so that callers can hear of it. The default is 200 ms.
func DeregisterDelay(d time.Duration) Option { return set(func(s *ownSettings) { s.delay = d }) }

// StopGrace sets how long a stopping service waits for the requests in flight before it
// cuts them off. The default is 10 s; zero means not at all, and that they are cut off is then
// no error.
func StopGrace(d time.Duration) Option { return set(func(s *ownSettings) { s.grace = d }) }

// Readiness answers at path, such as /readyz, with whether the service is registered: 200,
// or 503 and where it stands, without the reason, which the log has. It goes before all
// handlers. There is no such path by default.
func Readiness(path string) Option { return set(func(s *ownSettings) { s.readiness = path }) }

// Event is one change in what has become of the service's registration, with the reason.
type Event = enroll.Event

// OnEvent has f called with what becomes of the service's registration, in order. f must
// return quickly and must not use the service.
func OnEvent(f func(Event)) Option { return set(func(s *ownSettings) { s.events = f }) }

// TLSFiles makes the service speak TLS with the certificate in the file cert, whose private
// key is in the file key, both PEM. If clientCA is not empty, callers have to show a
// certificate of an authority in that file. The files are read again when they have
// changed. It goes before TLSConfig.
func TLSFiles(clientCA, cert, key string) Option {
	return setTLS(func(s *secure.Server) { s.Files = reload.Files{CA: clientCA, Cert: cert, Key: key} })
}

// AllowCallers lets those callers in alone whose certificates are for one of the given
// identities, DNS names or URIs; a * at the end of one stands for whatever may follow. It
// takes an authority whose certificates callers have to show. Without identities, all are let in.
func AllowCallers(identities ...string) Option {
	return setTLS(func(s *secure.Server) { s.Allow = identities })
}

// setTLS returns the option that changes a copy of what is said of TLS.
func setTLS(change func(*secure.Server)) Option {
	return func(o *Options) {
		s := tlsOf(o.Context)
		change(&s)
		o.Context = settings.With(o.Context, &s)
	}
}

// tlsOf returns what is said of TLS in ctx, which may be nil.
func tlsOf(ctx context.Context) secure.Server {
	if s, ok := settings.Of[*secure.Server](ctx); ok {
		return *s
	}
	return secure.Server{}
}
