package http

import (
	"cmp"
	"context"
	"maps"
	"net/http"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/settings"
)

// own is what this broker's options say.
type own struct {
	handlers  map[string]http.Handler // by pattern
	advertise string
	limit     int
}

// Handle serves what is asked for under the pattern, of net/http's ServeMux, beside the
// messages on the broker's listener.
func Handle(pattern string, handler http.Handler) broker.Option {
	return set(func(o *own) {
		o.handlers = maps.Clone(o.handlers)
		if o.handlers == nil {
			o.handlers = map[string]http.Handler{}
		}
		o.handlers[pattern] = handler
	})
}

// Advertise sets the address, host or host:port, at which publishers reach the
// subscriptions. Empty, the default, means that of the listener, or where it is bound to
// every interface, one that is chosen as for a server.
func Advertise(address string) broker.Option {
	return set(func(o *own) { o.advertise = address })
}

// MaxMessageSize limits messages, body and headers, in both directions, to this many
// bytes. Zero means the default, 4 MiB.
func MaxMessageSize(bytes int) broker.Option {
	return set(func(o *own) { o.limit = bytes })
}

// set returns the option that changes a copy of what is said.
func set(change func(*own)) broker.Option {
	return func(o *broker.Options) {
		s, _ := settings.Of[own](o.Context)
		change(&s)
		o.Context = settings.With(o.Context, s)
	}
}

// ownOf returns what is said in ctx, which may be nil, with the defaults.
func ownOf(ctx context.Context) own {
	s, _ := settings.Of[own](ctx)
	s.limit = cmp.Or(max(s.limit, 0), defaults.MaxRecvMsgSize)
	return s
}
