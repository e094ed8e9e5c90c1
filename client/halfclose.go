package client

import (
	"errors"
	"fmt"
	"io"

	"github.com/rollcall-go/micro/codec/bytes"
)

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
// could in v2, just sends it. A stream that the server has ended is no error: Recv
// says how it ended.
func SendLast(s Stream, msg any) error {
	if err := s.Send(msg); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	if h, ok := s.(HalfCloser); ok {
		return h.CloseSend()
	}
	return nil
}

// CloseAndRecv ends what s sends, decodes the one response into rsp, waits for the
// stream to end, and closes it.
func CloseAndRecv(s Stream, rsp any) (err error) {
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	if err := CloseSend(s); err != nil {
		return err
	}
	if err := s.Recv(rsp); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("receive the response of a stream: the server sent none: %w", io.ErrUnexpectedEOF)
		}
		return err
	}
	// The server may fail after it has sent the response. What it sends beyond that is
	// not asked for: the caller gets the response alone.
	if err := s.Recv(&bytes.Frame{}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
