package broker

import "context"

type eventKey struct{}

// NewEventContext returns ctx with the event in it. Servers give it to their
// subscribers.
func NewEventContext(ctx context.Context, e Event) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// EventFromContext returns the event that a subscriber of a service was called for, so
// that one with server.DisableAutoAck can acknowledge it:
//
//	func (s *Mail) Welcome(ctx context.Context, in *pb.User) error {
//		// ... and once it is done for good:
//		if e, ok := broker.EventFromContext(ctx); ok {
//			return e.Ack()
//		}
//		return nil
//	}
func EventFromContext(ctx context.Context) (Event, bool) {
	e, ok := ctx.Value(eventKey{}).(Event)
	return e, ok
}
