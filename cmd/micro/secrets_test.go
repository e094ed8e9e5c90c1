package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestSecretsStaySecret runs command lines that hold a password, right and wrong
// ones: it is in no output, whatever happens.
func TestSecretsStaySecret(t *testing.T) {
	const secret = "Hunter2"
	server := testkit.StartEtcd(t)
	server.EnableAuth(t, "user", secret)
	other := testkit.StartEtcd(t)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	in := "--registry_address=" + server.Addr()
	password := "--registry_password=" + secret
	for _, line := range [][]string{
		{"list", "services", in, "--registry_user=user", password},
		{"get", "service", "a", in, "--registry_user=user", password, "-o", "json"},
		{"doctor", in, "--registry_user=user", password},
		{"doctor", in, "--registry_user=user", password, "-o", "json"},
		{"doctor", in, "--registry_user=user", "--registry_password_file=" + file, "-o", "json"},
		{"doctor", in, "--registry_user=nobody", password},
		{"doctor", "--registry_address=" + other.Addr(), "--registry_user=user", password},
		{"list", "services", in, "--registry_user=nobody", password},
		{"list", "services", in, password},
		{"list", "services", in, "--registry_user=user", password, "--registry_password_file=" + file},
		{"list", "services", in, "--registry_user=user", password, "--timeout=soon"},
		{"list", "services", "--registry_user=user", password, "--registry_address=127.0.0.1:1"},
		{"list", "services", in, "--registry_user=user", "--registry_pasword=" + secret},
		{"list", "services", "--help", "--registry_user=user", password},
		{"server", "--registry_password=" + secret},
		{"call", "a", "b", in, "--registry_user=user", password},
		{"call", "a", "b", in, "--registry_user=user", password, "-o", "json"},
		{"watch", "a", "b", in, "--registry_user=user", password},
		{"node", "pause", "a", "b", in, "--registry_user=user", password},
		{"demo", "--once", "--registry_address=127.0.0.1:1", "--registry_user=user", password},
		// Where people write it who know other clients.
		{"list", "services", "--registry_address=https://root:" + secret + "@127.0.0.1:1"},
		{"list", "services", "--registry_address=http://root:" + secret + "@127.0.0.1:1,127.0.0.1:2"},
		{"list", "services", "--registry_address=root:" + secret + "@127.0.0.1:1"},
		{"list", "services", "--registry_address=root:" + secret + "@h:1:2"},
		{"doctor", "--registry_address=https://root:" + secret + "@127.0.0.1:1"},
		{"doctor", "--registry_address=https://root:" + secret + "@127.0.0.1:1", "-o", "json"},
		{"call", "a", "b", "--registry_address=https://root:" + secret + "@127.0.0.1:1"},
		{"watch", "--registry_address=https://root:" + secret + "@127.0.0.1:1"},
		{"demo", "--once", "--registry_address=https://root:" + secret + "@127.0.0.1:1"},
	} {
		_, stdout, stderr := micro(t, append(line, "--timeout=2s")...)
		if all := stdout + stderr; strings.Contains(all, secret) || all == "" && line[0] != "list" {
			t.Errorf("%q prints %s", line, all)
		}
	}
	// By variable, --help would show a default.
	t.Setenv("MICRO_REGISTRY_PASSWORD", secret)
	for _, line := range [][]string{{"--help"}, {"list", "services", "--help"}, {"doctor", "--help"}, {"demo", "--help"}, {"call", "--help"}} {
		if _, stdout, stderr := micro(t, line...); strings.Contains(stdout+stderr, secret) {
			t.Errorf("%q prints %s%s", line, stdout, stderr)
		}
	}
}
