package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/config/source/memory"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var errAway = errors.New("away")

// away is a source that cannot be read while err is set.
type away struct {
	source.Source
	err error
}

func (a *away) Read() (*source.ChangeSet, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.Source.Read()
}

func filled(text string) *away {
	return &away{Source: memory.NewSource(memory.WithJSON([]byte(text)))}
}

func TestStartWhileAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.snapshot")
	if _, err := NewSource(filled(`{"a":1}`), path).Read(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	inner := &away{filled("").Source, errAway}
	s := NewSource(inner, path)
	set, err := s.Read()
	if err != nil || string(set.Data) != `{"a":1}` || set.Format != "json" || set.Timestamp.IsZero() {
		t.Errorf("got %+v, %v", set, err)
	}
	if status := s.(source.Reporter).Status(); status.Live || !errors.Is(status.Err, errAway) || !status.Confirmed.Equal(set.Timestamp) {
		t.Errorf("away: %+v", status)
	}
	w, err := s.Watch()
	if err != nil {
		t.Fatal(err)
	}
	if err := inner.Write(&source.ChangeSet{Data: []byte(`{"a":2}`), Format: "json"}); err != nil {
		t.Fatal(err)
	}
	if set, err := w.Next(); err != nil || string(set.Data) != `{"a":2}` {
		t.Errorf("the source is back: %+v, %v", set, err)
	}
	if status := s.(source.Reporter).Status(); !status.Live || status.Err != nil {
		t.Errorf("back: %+v", status)
	}
	if set, err := s.(*snapshot).load(); err != nil || string(set.Data) != `{"a":2}` {
		t.Errorf("the newest was not kept: %+v, %v", set, err)
	}
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreNotBelieved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "snapshot")
	read := func(opts ...Option) error {
		_, err := NewSource(&away{filled("").Source, errAway}, path, opts...).Read()
		return err
	}
	if err := read(); !errors.Is(err, errAway) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := NewSource(filled(`{"a":1}`), path).Read(); err != nil {
		t.Fatal(err)
	}
	if err := read(WithMaxAge(time.Nanosecond)); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "not believed") {
		t.Errorf("an old file: %v", err)
	}
	if err := read(WithMaxAge(0)); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, damaged := range map[string]string{
		"cut short": string(text[:len(text)/2]), "another text": strings.Replace(string(text), "eyJhIjox", "eyJhIjoy", 1), "empty": "",
	} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := read(); !errors.Is(err, errAway) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestAFileThatCannotBeWritten harms nothing.
func TestAFileThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no such directory", "snapshot")
	for range 2 {
		if set, err := NewSource(filled(`{"a":1}`), path).Read(); err != nil || string(set.Data) != `{"a":1}` {
			t.Errorf("got %+v, %v", set, err)
		}
	}
}
