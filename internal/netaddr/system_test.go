package netaddr

import "testing"

func TestSystemRoute(t *testing.T) {
	// The forms in which the addresses of registries come.
	for _, to := range []string{"127.0.0.1:2379", "127.0.0.1", "http://127.0.0.1:2379", "https://127.0.0.1", " 127.0.0.1:2379 "} {
		if a, err := systemRoute(t.Context(), to); err != nil || a.String() != "127.0.0.1" {
			t.Errorf("towards %q: %s, %v", to, a, err)
		}
	}
	for _, to := range []string{"", "https://", "1:2:3"} {
		if a, err := systemRoute(t.Context(), to); err == nil {
			t.Errorf("towards %q: %s", to, a)
		}
	}
}
