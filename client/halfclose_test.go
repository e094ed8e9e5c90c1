package client

import (
	"errors"
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
	if err := SendLast(broken, "x"); err == nil || broken.closed != 0 {
		t.Errorf("%v, closed %d times", err, broken.closed)
	}
}
