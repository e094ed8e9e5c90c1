package registrytest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"testing"
)

// leakLabel marks the goroutines that a use of the registry starts: each has the labels
// of the one that started it.
const leakLabel = "registrytest"

// leaks uses a registry in every way, and looks for goroutines that are left when a
// watch has been stopped, and when everything has.
func (s *suite) leaks(t *testing.T) {
	mark := fmt.Sprintf("%s %p", t.Name(), t)
	t.Run("Use", func(t *testing.T) {
		pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels(leakLabel, mark)))
		defer pprof.SetGoroutineLabels(context.Background())
		r := s.open(t)
		hello := service("hello", "1", "a")
		use := func() {
			w, err := r.Watch()
			if err != nil {
				t.Fatal(err)
			}
			mustRegister(t, r, hello)
			s.holds(t, r, "hello", hello)
			mustDeregister(t, r, hello)
			w.Stop()
		}
		use()
		_, few := started(mark)
		for range 20 {
			use()
		}
		// What serves all uses may be there, of one kind or another, not one a use.
		if err := poll(s.patience, func() error {
			if text, n := started(mark); n >= few+10 {
				return fmt.Errorf("after 20 watches, all of them stopped, %d goroutines are there, and %d were after the first:\n%s", n, few, text)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	if err := poll(s.patience, func() error {
		if text, n := started(mark); n > 0 {
			return fmt.Errorf("%d goroutines are left behind:\n%s", n, text)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// started returns the goroutines that bear the mark, and how many they are.
func started(mark string) (text string, n int) {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
	label := fmt.Appendf(nil, "%q:%q", leakLabel, mark)
	for block := range bytes.SplitSeq(profile.Bytes(), []byte("\n\n")) {
		if !bytes.Contains(block, label) {
			continue
		}
		var alike int
		if _, err := fmt.Sscanf(string(bytes.TrimSpace(block)), "%d @", &alike); err != nil {
			alike = 1
		}
		n += alike
		text += string(block) + "\n\n"
	}
	return text, n
}
