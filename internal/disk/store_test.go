package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func services(name string, ids ...string) []*registry.Service {
	s := &registry.Service{Name: name, Version: "1", Metadata: map[string]string{"k": "v"}}
	for _, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{Id: id, Address: id + ":1"})
	}
	return []*registry.Service{s}
}

func store(t *testing.T) *Store {
	return &Store{Dir: filepath.Join(t.TempDir(), "made"), Registry: "etcd (a:1)", MaxAge: time.Hour}
}

func TestWhatWasSavedIsLoaded(t *testing.T) {
	s := store(t)
	if _, err := s.Load("a", noon); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing was saved: %v", err)
	}
	for _, name := range []string{"a", "go.micro/odd name", "ä", "..."} {
		want := Saved{Services: services(name, "1", "2"), Confirmed: noon}
		if err := s.Save(name, want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(name, noon.Add(time.Minute))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v", name, got, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(left) != 4 {
		t.Errorf("the directory holds %q, %v", left, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, s *Store, text string) string
		want  string
	}{
		"empty":     {func(*testing.T, *Store, string) string { return "" }, "not a file of services"},
		"foreign":   {func(*testing.T, *Store, string) string { return "{}\n" }, "not a file of services"},
		"truncated": {func(_ *testing.T, _ *Store, text string) string { return text[:len(text)/2] }, "damaged"},
		"changed":   {func(_ *testing.T, _ *Store, text string) string { return strings.Replace(text, "1:1", "6:6", 1) }, "damaged"},
		"newer": {func(_ *testing.T, _ *Store, text string) string {
			return strings.Replace(text, magic+" 1", magic+" 2", 1)
		}, `version "2"`},
		"another service": {func(t *testing.T, s *Store, text string) string {
			if err := s.Save("b", Saved{Services: services("b", "1"), Confirmed: noon}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(s.Path("b"))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}, `about service "b", not "a"`},
		"another registry": {func(_ *testing.T, s *Store, text string) string {
			s.Registry = "etcd (b:1)"
			return text
		}, "from registry etcd (a:1), not etcd (b:1)"},
		"old": {func(_ *testing.T, s *Store, text string) string {
			s.MaxAge = time.Second
			return text
		}, "1m0s old, more than 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t)
			if err := s.Save("a", Saved{Services: services("a", "1"), Confirmed: noon}); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(s.Path("a"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s.Path("a"), []byte(tc.spoil(t, s, string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := s.Load("a", noon.Add(time.Minute))
			if err == nil || !strings.Contains(err.Error(), tc.want) || got.Services != nil {
				t.Errorf("got %+v, %v, want an error with %q", got, err, tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), s.Path("a")) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
}

func TestReadersNeverSeeHalfAFile(t *testing.T) {
	s := store(t)
	if err := s.Save("a", Saved{Services: services("a", "0"), Confirmed: noon}); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 50 {
				if err := s.Save("a", Saved{Services: services("a", fmt.Sprint(w, i)), Confirmed: noon}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		if _, err := s.Load("a", noon); err != nil {
			t.Error(err)
		}
	}
	writers.Wait()
}

func TestWhatCannotBeSaved(t *testing.T) {
	s := store(t)
	if err := os.WriteFile(s.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Save("a", Saved{}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("saved into a file: %v", err)
	}
}
