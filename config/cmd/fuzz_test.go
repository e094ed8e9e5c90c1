package cmd

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzFlags: whatever stands on a service's command line is taken, or ends the
// program with code 2 and one line; nothing panics, and nothing is obeyed by a
// terminal.
func FuzzFlags(f *testing.F) {
	for _, seed := range []string{
		"", "--registry=memory", "--registry=nope", "--server_name=x --server_address=:0", "--client_retries=-3", "--client_retries", "-h", "--help", "--version",
		"--registry=", "--nope=\x1b[31m", "word", "--register_ttl=1e9", "--server_metadata=a=b --server_metadata=c", "-- x", "-test.v", "--=", "---x", "-", "--registry_address=a,,b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "_file") || strings.Contains(line, "tls_") || strings.Contains(line, "snapshot") {
			t.Skip("files are read")
		}
		p := newProgram()
		err := p.run(t, strings.Fields(line)...)
		if len(p.exited) > 0 && err == nil && p.exited[0] != 0 {
			t.Fatalf("%q: exited with %v, without an error", line, p.exited)
		}
		if strings.ContainsFunc(p.stderr, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Fatalf("%q: wrote %q", line, p.stderr)
		}
		if err != nil && strings.Count(strings.TrimSpace(p.stderr), "\n") > 0 {
			t.Fatalf("%q: more than a line: %q", line, p.stderr)
		}
	})
}
