package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
)

// pigeon is a client of a program's own.
type pigeon struct{ client.Client }

func (pigeon) String() string { return "carrier-pigeon" }

// TestWrongTLS shows that what cannot secure calls ends the process, and names the flag,
// the file and the way out: plaintext is nobody's second choice.
func TestWrongTLS(t *testing.T) {
	ca := testkit.NewCA(t)
	one, other := ca.Server(t), ca.Server(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	encrypted := file("encrypted.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n")
	old := file("old.pem", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n")
	missing, empty := filepath.Join(dir, "missing.pem"), file("empty.pem", "")
	for _, tc := range []struct {
		args []string
		want []string // in the error
	}{
		{[]string{"--server_tls_cert=" + one.CertFile}, []string{"--server_tls_cert", "--server_tls_key"}},
		{[]string{"--server_tls_key=" + one.KeyFile}, []string{"--server_tls_key", "give --server_tls_cert"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + missing}, []string{"--server_tls_cert", missing, "no such file"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + other.KeyFile}, []string{"--server_tls_cert", one.CertFile, other.KeyFile, "do not belong together"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + encrypted}, []string{encrypted, "is encrypted", "openssl pkey"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + old}, []string{old, "is encrypted", "openssl pkey"}},
		{[]string{"--server_tls_cert=" + dir, "--server_tls_key=" + one.KeyFile}, []string{dir, "directory"}},
		{[]string{"--server_tls_client_ca=" + ca.File}, []string{"--server_tls_client_ca", "--server_tls_cert"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + one.KeyFile, "--server_tls_client_ca=" + empty}, []string{"--server_tls_client_ca", empty, "no certificate"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + one.KeyFile, "--server_tls_allow=shop"}, []string{"--server_tls_client_ca"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + one.KeyFile, "--server_tls_client_ca=" + ca.File, "--server_tls_allow=shop", "--server_tls_mode=both"}, []string{"plaintext", "--server_tls_mode=only"}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + one.KeyFile, "--server_tls_client_ca=" + ca.File, "--server_tls_allow=a*b"}, []string{"--server_tls_allow", `"a*b"`}},
		{[]string{"--server_tls_cert=" + one.CertFile, "--server_tls_key=" + one.KeyFile, "--server_tls_client_ca=" + ca.File, "--server_tls_allow=,"}, []string{"--server_tls_allow", `","`, "give a DNS name or a URI"}},
		{[]string{"--server_tls_mode=only"}, []string{"--server_tls_mode", "--server_tls_cert"}},
		{[]string{"--server_tls_mode=off"}, []string{"--server_tls_mode", `"off"`, "want only or both"}},
		{[]string{"--client_tls_mode=off"}, []string{"--client_tls_mode", `"off"`, "want require or prefer"}},
		{[]string{"--client_tls_ca=" + missing}, []string{"--client_tls_ca", missing}},
		{[]string{"--client_tls_cert=" + one.CertFile}, []string{"--client_tls_cert", "--client_tls_key"}},
		{[]string{"--client_tls_identity=false"}, []string{"--client_tls_identity", `"false"`, "want host, service, or a URI"}},
		{[]string{"--client_tls_identity=spiffe://a/b"}, []string{"--client_tls_identity", "{service}"}},
		{[]string{"--client_tls_identity=service", "--client_tls_server_name=a"}, []string{"choose one"}},
	} {
		p := newProgram()
		err := p.run(t, tc.args...)
		if err == nil || !slices.Equal(p.exited, []int{2}) {
			t.Errorf("%v: Init: %v, exited with %v", tc.args, err, p.exited)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(p.stderr, want) {
				t.Errorf("%v: wrote %q, which lacks %q", tc.args, p.stderr, want)
			}
		}
	}

	p := newProgram()
	p.client = pigeon{p.client}
	if err := p.run(t, "--client_tls_ca="+ca.File); err == nil || !strings.Contains(p.stderr, "carrier-pigeon") || !strings.Contains(p.stderr, "--client_tls_ca") {
		t.Errorf("a client of the program's own: %v, wrote %q", err, p.stderr)
	}
}
