package grpc

import (
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// handler is a server.Handler.
type handler struct {
	value any
	opts  server.HandlerOptions
	// methods is nil, and err set, if the value makes no handler.
	methods *rpc.Handler
	err     error
}

var _ server.Handler = (*handler)(nil)

// NewHandler makes a handler of the methods of v that have the form
// (ctx, request, response) error or, for streams, (ctx, stream) error. What is wrong with v is reported by Handle.
func (s *grpcServer) NewHandler(v any, opts ...server.HandlerOption) server.Handler {
	h := &handler{value: v}
	for _, o := range opts {
		o(&h.opts)
	}
	h.methods, h.err = rpc.NewHandler(v)
	return h
}

func (h *handler) Name() string                   { return rpc.TypeName(h.value) }
func (h *handler) Handler() any                   { return h.value }
func (h *handler) Options() server.HandlerOptions { return h.opts }

// Endpoints describes the methods in the order of their names.
func (h *handler) Endpoints() []*registry.Endpoint {
	if h.methods == nil {
		return nil
	}
	var out []*registry.Endpoint
	for _, m := range h.methods.Methods {
		out = append(out, m.Describe(h.opts.Metadata[m.Endpoint]))
	}
	return out
}

// Handle adds a handler. Exported methods that cannot be called are left out, with
// a line in the log for each.
func (s *grpcServer) Handle(h server.Handler) error {
	methods, err := methodsOf(h)
	if err != nil {
		return err
	}
	if err := s.table.Add(methods); err != nil {
		return err
	}
	for _, m := range methods.Skipped {
		logger.Errorf("Server [grpc] Method %s.%s cannot be called: %v", methods.Name, m.Name, m.Reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers = append(s.handlers, h)
	slices.SortStableFunc(s.handlers, func(a, b server.Handler) int { return strings.Compare(a.Name(), b.Name()) })
	if s.phase == running {
		s.publish()
	}
	return nil
}

// public returns the name of the server and the handlers that anybody may hear of.
func (s *grpcServer) public() (name string, handlers []*rpc.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handlers {
		if m, err := methodsOf(h); err == nil && !h.Options().Internal {
			handlers = append(handlers, m)
		}
	}
	return s.opts.Name, handlers
}

// methodsOf returns the methods of a handler that this or another package made.
func methodsOf(h server.Handler) (*rpc.Handler, error) {
	if own, ok := h.(*handler); ok {
		return own.methods, own.err
	}
	return rpc.NewHandler(h.Handler())
}
