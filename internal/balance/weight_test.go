package balance

import (
	"strings"
	"testing"
)

func TestWeight(t *testing.T) {
	for text, want := range map[string]uint16{"0": 0, "1": 1, "100": 100, "10000": 10000} {
		if got, err := Weight(map[string]string{"weight": text}); err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	if got, err := Weight(nil); err != nil || got != DefaultWeight {
		t.Errorf("none: got %d, %v", got, err)
	}
	for _, text := range []string{"", " 1", "-1", "+1", "1.5", "10001", "heavy", "1e3", "0x10", "18446744073709551616", strings.Repeat("9", 1<<16)} {
		got, err := Weight(map[string]string{"weight": text})
		if err == nil || got != DefaultWeight || len(err.Error()) > 300 {
			t.Errorf("%.40q: got %d, %v", text, got, err)
		}
	}
}

func FuzzWeight(f *testing.F) {
	for _, text := range []string{"", "1", "100", "10000", "10001", "-1", "1.5", "\x00", "９"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Weight(map[string]string{"weight": text})
		if w > MaxWeight || err != nil && (w != DefaultWeight || len(err.Error()) > 400) {
			t.Errorf("%q: got %d, %v", text, w, err)
		}
	})
}
