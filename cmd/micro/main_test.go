package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestMain chooses the registry for all tests that do not: none is to be looked for by
// multicast on the networks of this host.
func TestMain(m *testing.M) {
	if err := os.Setenv("MICRO_REGISTRY", "etcd"); err != nil {
		panic(err)
	}
	testkit.Main(m)
}

// micro runs a command line in this process.
func micro(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"micro"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help"}, {"help", "server"}, {"server", "--help"}, {"version", "-h"}} {
		code, stdout, stderr := micro(t, args...)
		if code != exitOK || !strings.Contains(stdout, "USAGE:") || stderr != "" {
			t.Errorf("%q: exit code %d, stderr %q, stdout\n%s", args, code, stderr, stdout)
		}
		if strings.Contains(stdout, "unsafe") {
			t.Errorf("%q shows a flag for tests", args)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		code, stdout, stderr := micro(t, args...)
		if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, "micro ") || !strings.Contains(stdout, "etcd 3.") || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // a part of the line on standard error
	}{
		{"sever", `unknown command "sever", did you mean "server"?`},
		{"nonsense", `unknown command "nonsense", choose one of `},
		{"--nonsense", `unknown flag "--nonsense", "micro --help" lists those that exist`},
		{"help nonsense", `unknown command "nonsense", choose one of `},
		{"server --data_dir=~/x", `invalid value "~/x" for "--data_dir": the shell has not replaced the ~`},
		{"list services -o json --output table", `"-o" and "--output" are one flag, give it once`},
		{"call a b {", `invalid JSON in the argument`},
		{"call a b {} -H a", `invalid value "a" for "--header"`},
		{"server --adress 127.0.0.1:1", `unknown flag "--adress", did you mean "--address"?`},
		{"server --nonsense", `unknown flag "--nonsense", "micro server --help" lists those that exist`},
		{"server -v", `unknown flag "-v"`},
		{"server --address", `flag "--address" needs a value`},
		{"server extra", `unexpected argument "extra"`},
		{"server --quota 12x", `invalid value "12x" for "--quota": give a number of bytes`},
		{"server --quota 1", `invalid value "1" for "--quota": need at least 16777216 bytes`},
		{"server --address http://127.0.0.1:1", `invalid value "http://127.0.0.1:1" for "--address": leave out the scheme`},
		{"server --address 127.0.0.1:99999", `port "99999" is no number from 0 to 65535`},
		{"server --auto_compaction often", `invalid value "often" for "--auto_compaction": give a duration`},
		{"server --log_level loud", `invalid value "loud" for "--log_level": choose debug, info, warn or error`},
		{"server --unsafe_fast=maybe", `invalid value "maybe" for "--unsafe_fast"`},
		{"server --tls_key key.pem", `for "--tls_cert": a certificate and its key come together`},
		{"version extra", `unexpected argument "extra"`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Setenv("XDG_DATA_HOME", t.TempDir())
			code, stdout, stderr := micro(t, strings.Fields(tt.args)...)
			if code != exitUsage || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			if stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("want one line on standard error alone, got %q and %q", stdout, stderr)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "64 MiB": 64 << 20, "2GiB": 2 << 30, "3KiB": 3 << 10} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "-1", "GiB", "1.5GiB", "2GB", "9999999999999999GiB"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", s, got)
		}
	}
}
