package breaker

import (
	"io"
	"sync/atomic"

	"github.com/rollcall-go/micro/client"
)

// stream tells a breaker if it fails after it was opened. Its opening was counted
// before, so one that lasts for hours and ends well counts no more.
type stream struct {
	client.Stream
	breaker *Breaker
	noted   atomic.Bool
}

// Watch returns the stream, whose failure the breaker hears of, once.
func (b *Breaker) Watch(s client.Stream) client.Stream { return &stream{Stream: s, breaker: b} }

func (s *stream) Send(v any) error { return s.note(s.Stream.Send(v)) }
func (s *stream) Recv(v any) error { return s.note(s.Stream.Recv(v)) }

// CloseSend makes the stream a client.HalfCloser, as the one inside is.
func (s *stream) CloseSend() error { return s.note(client.CloseSend(s.Stream)) }

func (s *stream) note(err error) error {
	if err != nil && err != io.EOF && Failed(err) && s.noted.CompareAndSwap(false, true) {
		s.breaker.Note(err)
	}
	return err
}
