package similar

import (
	"slices"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestNearest(t *testing.T) {
	names := []string{"registry", "registry_address", "server_name", "服务"}
	for given, want := range map[string]string{
		"registri":         "registry",
		"registry_adress":  "registry_address",
		"registry_address": "registry_address",
		"servername":       "server_name",
		"rgeistry":         "registry",
		"nope":             "",
		"":                 "",
	} {
		if got := Nearest(given, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestServices(t *testing.T) {
	names := []string{"greeter", "go.micro.service.greeter", "greeters", "greater", "greetings", "orders"}
	for given, want := range map[string][]string{
		"greeter":                  {"greater", "greeters", "go.micro.service.greeter"},
		"greter":                   {"greater", "greeter", "greeters"},
		"micro.greeter":            {"greeter"},
		"go.micro.service.greeter": {"greeter"},
		"order":                    {"orders"},
		"nobody":                   nil,
		"":                         nil,
	} {
		if got := Services(given, names); !slices.Equal(got, want) {
			t.Errorf("Services(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
