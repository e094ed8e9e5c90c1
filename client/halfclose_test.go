package client

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// oldStream is a Stream as v2 knows them.
type oldStream struct {
	Stream
	sent []any
	err  error
}

func (s *oldStream) Send(msg any) error {
	s.sent = append(s.sent, msg)
	return s.err
}

// newStream can end what it sends.
type newStream struct {
	oldStream
	closed int
}

func (s *newStream) CloseSend() error {
	s.closed++
	return nil
}

func TestCloseSend(t *testing.T) {
	s := &newStream{}
	if err := CloseSend(s); err != nil || s.closed != 1 {
		t.Errorf("%v, closed %d times", err, s.closed)
	}
	if err := CloseSend(&oldStream{}); err == nil || !strings.Contains(err.Error(), "*client.oldStream") || !strings.Contains(err.Error(), "client.CloseSend") {
		t.Errorf("%v: want an error that says what to do", err)
	}
}

func TestSendLast(t *testing.T) {
	s := &newStream{}
	if err := SendLast(s, "x"); err != nil || len(s.sent) != 1 || s.closed != 1 {
		t.Errorf("%v, sent %v, closed %d times", err, s.sent, s.closed)
	}
	old := &oldStream{}
	if err := SendLast(old, "x"); err != nil || len(old.sent) != 1 {
		t.Errorf("%v, sent %v", err, old.sent)
	}
	broken := &newStream{oldStream: oldStream{err: errors.New("broken")}}
	if err := SendLast(&newStream{oldStream: oldStream{err: io.EOF}}, "x"); err != nil {
		t.Errorf("%v: how a stream ended is for Recv to say", err)
	}
	if err := SendLast(broken, "x"); err == nil || broken.closed != 0 {
		t.Errorf("%v, closed %d times", err, broken.closed)
	}
}

// answers is a stream that ends after its answers with an error.
type answers struct {
	newStream
	left int
	end  error
}

func (a *answers) Recv(any) error {
	if a.left == 0 {
		return a.end
	}
	a.left--
	return nil
}

func (a *answers) Close() error {
	a.closed += 10
	return nil
}

func TestCloseAndRecv(t *testing.T) {
	failed := errors.New("failed after all")
	for name, tc := range map[string]struct {
		s    answers
		want error
	}{
		"one response":         {answers{left: 1, end: io.EOF}, nil},
		"none":                 {answers{end: io.EOF}, io.ErrUnexpectedEOF},
		"an error":             {answers{end: failed}, failed},
		"an error after it":    {answers{left: 1, end: failed}, failed},
		"more than was wanted": {answers{left: 2, end: io.EOF}, nil},
	} {
		if err := CloseAndRecv(&tc.s, new(string)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if tc.s.closed != 11 {
			t.Errorf("%s: the stream was not ended and closed: %d", name, tc.s.closed)
		}
	}
}
