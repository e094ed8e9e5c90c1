package snapshot

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/config/source"
)

// slow is a source whose Read returns what was there when it was asked, once it is let go.
type slow struct {
	*away
	asked, goOn chan struct{}
}

func (s *slow) Read() (*source.ChangeSet, error) {
	set, err := s.away.Read()
	s.asked <- struct{}{}
	<-s.goOn
	return set, err
}

// fileHas wants the file of s to have a text.
func fileHas(t *testing.T, s source.Source, text string) {
	t.Helper()
	if set, err := s.(*snapshot).load(); err != nil || string(set.Data) != text {
		t.Errorf("the file has %+v, %v, and should have %s", set, err, text)
	}
}

// TestALateAnswerIsNotKept lets a reading end after the Watcher told something newer.
func TestALateAnswerIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, failing := range []error{nil, errAway} {
			inner := &slow{filled(`{"a":1}`), make(chan struct{}), make(chan struct{})}
			inner.err = failing
			s := NewSource(inner, filepath.Join(t.TempDir(), "snapshot"))
			w, err := s.Watch()
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() {
				_, err := s.Read()
				read <- err
			}()
			<-inner.asked
			if err := inner.Write(of(`{"a":2}`)); err != nil {
				t.Fatal(err)
			}
			if set, err := w.Next(); err != nil || string(set.Data) != `{"a":2}` {
				t.Errorf("heard %+v, %v", set, err)
			}
			close(inner.goOn)
			if err := <-read; err != nil {
				t.Error(err)
			}
			fileHas(t, s, `{"a":2}`)
			if status := s.(source.Reporter).Status(); !status.Live {
				t.Errorf("the source told something, and is %+v", status)
			}
			if err := w.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestWhatIsKnownCountsMoreThanTheFile has a file that cannot be replaced.
func TestWhatIsKnownCountsMoreThanTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot")
	inner := filled(`{"a":1}`)
	if _, err := NewSource(inner, path).Read(); err != nil {
		t.Fatal(err)
	}
	s := NewSource(inner, path)
	s.(*snapshot).path = filepath.Join(path, "is no directory")
	if err := inner.Write(of(`{"a":2}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(); err != nil {
		t.Fatal(err)
	}
	s.(*snapshot).path = path
	inner.err = errAway
	if set, err := s.Read(); err != nil || string(set.Data) != `{"a":2}` {
		t.Errorf("got %+v, %v", set, err)
	}
}

// TestTheFileStaysYoung runs for longer than a file is believed, without a change.
func TestTheFileStaysYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "snapshot")
		inner := filled(`{"a":1}`)
		s := NewSource(inner, path)
		if _, err := s.Read(); err != nil {
			t.Fatal(err)
		}
		w, err := s.Watch()
		if err != nil {
			t.Fatal(err)
		}
		age := func() time.Duration {
			set, err := s.(*snapshot).load()
			if err != nil {
				t.Fatal(err)
			}
			return time.Since(set.Timestamp)
		}
		time.Sleep(2*MaxAge + renewal/2) // of a clock that is not real
		if got := age(); got > renewal {
			t.Errorf("the file is %v old", got)
		}
		if err := w.Stop(); err != nil || age() != 0 {
			t.Errorf("at the end: %v, %v old", err, age())
		}

		// While the source is away it ages.
		if w, err = s.Watch(); err != nil {
			t.Fatal(err)
		}
		inner.err = errAway
		if _, err := s.Read(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * renewal)
		if err := w.Stop(); err != nil || age() != 3*renewal {
			t.Errorf("away: %v, %v old", err, age())
		}
	})
}

func of(text string) *source.ChangeSet { return &source.ChangeSet{Data: []byte(text), Format: "json"} }
