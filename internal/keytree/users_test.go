package keytree

import (
	"testing"

	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/source"
)

// quick is a session that knows its keys before whoever started it looks.
type quick struct{ board *Board }

func (q quick) Board() *Board         { return q.board }
func (q quick) End()                  {}
func (q quick) Status() source.Status { return source.Status{} }

// TestTheFirstStateIsNews: a Watcher that starts the session is told what that finds,
// however soon; one that comes later is told what comes after.
func TestTheFirstStateIsNews(t *testing.T) {
	u := NewUsers(func() (quick, error) {
		b := NewBoard("quick", Keys{}, json.NewEncoder())
		b.Change(func(*View) bool { return true })
		return quick{b}, nil
	})
	first, err := u.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Stop() }()
	if _, err := first.Next(); err != nil { // it would wait for ever
		t.Error(err)
	}
	later, err := u.Watch()
	if err != nil {
		t.Fatal(err)
	}
	if seen := later.(*watcher).seen; seen != 1 {
		t.Errorf("who comes later has seen state %d of 1", seen)
	}
	if err := later.Stop(); err != nil {
		t.Error(err)
	}
}
