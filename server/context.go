package server

import "context"

type serverKey struct{}

// NewContext returns ctx with the server in it.
func NewContext(ctx context.Context, s Server) context.Context {
	return context.WithValue(ctx, serverKey{}, s)
}

// FromContext returns the server that NewContext put into ctx.
func FromContext(ctx context.Context) (Server, bool) {
	s, ok := ctx.Value(serverKey{}).(Server)
	return s, ok
}
