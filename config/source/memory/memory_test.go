package memory

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContent(t *testing.T) {
	for what, tt := range map[string]struct {
		opts         []source.Option
		text, format string
	}{
		"nothing": {nil, "", "json"},
		"JSON":    {[]source.Option{WithJSON([]byte("{}"))}, "{}", "json"},
		"YAML":    {[]source.Option{WithYAML([]byte("a: 1"))}, "a: 1", "yaml"},
		"a set":   {[]source.Option{WithChangeSet(&source.ChangeSet{Data: []byte("a = 1"), Format: "toml"})}, "a = 1", "toml"},
	} {
		set, err := NewSource(tt.opts...).Read()
		if err != nil || string(set.Data) != tt.text || set.Format != tt.format || set.Source != "memory" {
			t.Errorf("%s: %+v, %v", what, set, err)
		}
	}
}

// TestNextIsTheNewest checks that a watcher that is slow is told the last content, and
// one that is stopped nothing.
func TestNextIsTheNewest(t *testing.T) {
	s := NewSource()
	w, err := s.Watch()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := s.Write(&source.ChangeSet{Data: fmt.Append(nil, i), Format: "json"}); err != nil {
			t.Fatal(err)
		}
	}
	s.(interface{ Update(*source.ChangeSet) }).Update(nil)
	if set, err := w.Next(); err != nil || string(set.Data) != "999" || set.Checksum != set.Sum() {
		t.Errorf("got %+v, %v", set, err)
	}
	ended := make(chan error)
	go func() {
		_, err := w.Next()
		ended <- err
	}()
	if err := errors.Join(w.Stop(), w.Stop()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, source.ErrWatcherStopped) {
		t.Errorf("Next: %v", err)
	}
}
