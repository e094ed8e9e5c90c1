package etcd

import (
	"strings"
	"testing"
)

func TestWatchFlaws(t *testing.T) {
	for version, want := range map[string]struct {
		flaws int
		free  string
	}{
		"3.3.11": {0, ""}, "3.4.0": {6, "3.4.38"}, "3.4.23": {6, "3.4.38"}, "3.4.31": {3, "3.4.38"}, "3.4.45": {0, ""},
		"3.5.9": {5, "3.5.33"}, "3.5.33": {0, ""}, "3.6.0-rc.1": {2, "3.6.14"}, "3.6.2": {1, "3.6.14"}, "3.7.0": {1, "3.7.1"}, "3.7.3": {0, ""}, "4.0.0": {0, ""},
	} {
		r, ok := ParseVersion(version)
		if !ok {
			t.Errorf("%q cannot be read", version)
		}
		what, free := r.WatchFlaws()
		flaws := strings.Count(what, "(")
		if flaws != want.flaws || flaws > 0 && free.String() != want.free {
			t.Errorf("%s has %q, free of them is %s, want %d and %s", version, what, free, want.flaws, want.free)
		}
	}
	for _, version := range []string{"", "x", "3", "3.x.1", "v3.4.5"} {
		if _, ok := ParseVersion(version); ok {
			t.Errorf("%q was read", version)
		}
	}
}

func TestTellsProgress(t *testing.T) {
	for version, want := range map[string]bool{
		"3.3.11": false, "3.4.0": false, "3.4.24": false, "3.4.25": true, "3.5.7": false, "3.5.8": true, "3.6.0": true, "3.7.3": true, "4.0.0": true,
	} {
		v, _ := ParseVersion(version)
		if got := v.TellsProgress(); got != want {
			t.Errorf("%s: %v, want %v", version, got, want)
		}
	}
}

func TestRightsFlaws(t *testing.T) {
	for version, free := range map[string]string{
		"3.2.32": "", "3.3.0": "3.4.42", "3.3.11": "3.4.42", "3.4.23": "3.4.42", "3.4.42": "", "3.4.45": "", "3.5.27": "3.5.28", "3.5.28": "",
		"3.6.8": "3.6.9", "3.6.9": "", "3.7.0": "", "3.7.3": "", "4.0.0": "",
	} {
		v, _ := ParseVersion(version)
		what, got := v.RightsFlaws()
		if (what == "") != (free == "") || what != "" && got.String() != free {
			t.Errorf("%s has %q, free of it is %s, want %q", version, what, got, free)
		}
	}
}
