package registrytest

import (
	"fmt"
	"os"
	"testing"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/registry"
)

// lacks skips the rest of the test because the backend cannot do what it is about,
// with a line on standard output that can be counted.
func (s *suite) lacks(t *testing.T, r registry.Registry, what, why string) {
	t.Helper()
	fmt.Fprintf(os.Stdout, "LACKS-ABILITY %s %s: %s\n", r, what, why)
	t.Skip(why)
}

// wrapped is a registry around another one, as programs write them to count or to
// log.
type wrapped struct{ registry.Registry }

// Unwrap returns the registry inside.
func (w wrapped) Unwrap() registry.Registry { return w.Registry }

// throughWrappers checks that whoever registers through a wrapper learns whether the
// backend renews by itself: otherwise records expire, or are written for nothing.
func (s *suite) throughWrappers(t *testing.T) {
	r := s.open(t)
	for what, r := range map[string]registry.Registry{"the backend": r, "a wrapper": wrapped{r}, "two wrappers": wrapped{wrapped{r}}} {
		if got := ability.Renews(r); got != s.renews {
			t.Errorf("%s: renews by itself %v, want %v", what, got, s.renews)
		}
		if err := ability.Check(r); err != nil {
			t.Errorf("%s: said to be unusable for ever: %v", what, err)
		}
	}
	// The wrapper is a registry like others.
	w := wrapped{r}
	hello := service("hello", "1", "a")
	mustRegister(t, w, hello)
	s.holds(t, w, "hello", hello)
	s.holds(t, r, "hello", hello)
}
