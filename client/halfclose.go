package client

import "fmt"

// HalfCloser is a [Stream] that can end what it sends and go on receiving. It is
// found by assertion: Stream itself has no such method, as in v2.
type HalfCloser interface {
	// CloseSend tells the server that nothing more will be sent. One goroutine may
	// call it while another receives.
	CloseSend() error
}

// CloseSend ends what s sends, and s goes on receiving. It returns an error if s
// cannot: it must have CloseSend itself, which a struct that embeds a Stream does not
// pass on.
func CloseSend(s Stream) error {
	h, ok := s.(HalfCloser)
	if !ok {
		return fmt.Errorf("end what a %T sends: it has no method CloseSend; give it one that calls client.CloseSend of the stream which it wraps", s)
	}
	return h.CloseSend()
}

// SendLast sends the last message. A stream that cannot tell the server so, as none
// could in v2, just sends it.
func SendLast(s Stream, msg any) error {
	if err := s.Send(msg); err != nil {
		return err
	}
	if h, ok := s.(HalfCloser); ok {
		return h.CloseSend()
	}
	return nil
}
