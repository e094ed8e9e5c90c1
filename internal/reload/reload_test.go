package reload

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// replace writes what is in from to path, as a tool that renews certificates does.
func replace(t *testing.T, path, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// shown returns the certificate that the next handshake shows.
func shown(t *testing.T, s *TLS) []byte {
	t.Helper()
	config, err := s.Config(nil)
	if err != nil {
		t.Fatal(err)
	}
	return config.Certificates[0].Certificate[0]
}

func TestPairIsReadAgain(t *testing.T) {
	ca := testkit.NewCA(t)
	files, renewed := ca.Client(t, "svc"), ca.Client(t, "svc")
	var warnings []string
	s := NewTLS(Files{Cert: files.CertFile, Key: files.KeyFile}, func(text string) { warnings = append(warnings, text) })
	first := shown(t, s)
	if !bytes.Equal(first, shown(t, s)) {
		t.Error("another certificate from the same files")
	}

	replace(t, files.CertFile, renewed.CertFile) // the key is not there yet
	for range 3 {
		if !bytes.Equal(first, shown(t, s)) {
			t.Error("a certificate without its key is shown")
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], files.CertFile) || !strings.Contains(warnings[0], files.KeyFile) {
		t.Errorf("warned %q, want one that names both files", warnings)
	}
	if s.Problem() == nil {
		t.Error("the problem is not told")
	}

	replace(t, files.KeyFile, renewed.KeyFile)
	if bytes.Equal(first, shown(t, s)) {
		t.Error("the pair was renewed, and the old one is shown")
	}
	if err := s.Problem(); err != nil {
		t.Errorf("the problem stays: %v", err)
	}
}

// What keeps files from being used later keeps what was there in force; at the
// start it is an error.
func TestFilesThatCannotBeUsed(t *testing.T) {
	ca := testkit.NewCA(t)
	pair := ca.Client(t, "svc")
	for name, spoil := range map[string]func(path string) error{
		"gone":     os.Remove,
		"empty":    func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"half":     func(path string) error { return os.Truncate(path, 100) },
		"no PEM":   func(path string) error { return os.WriteFile(path, []byte("nonsense"), 0o600) },
		"a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		for _, which := range []string{"ca", "cert", "key"} {
			dir := t.TempDir()
			files := Files{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
			replace(t, files.CA, ca.File)
			replace(t, files.Cert, pair.CertFile)
			replace(t, files.Key, pair.KeyFile)
			s := NewTLS(files, nil)
			if _, err := s.Config(nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, which)
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			if config, err := s.Config(nil); err != nil || config.RootCAs == nil || len(config.Certificates) != 1 {
				t.Errorf("%s %s: %+v, %v; want what was there before", which, name, config, err)
			}
			if err := files.Check(); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s %s: the check says %v, want the path in it", which, name, err)
			}
		}
	}
}

func TestOneOfTwoFiles(t *testing.T) {
	for _, f := range []Files{{Cert: "x"}, {Key: "x"}} {
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), "give both") {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if (Files{}).Given() || !(Files{CA: "x"}).Given() {
		t.Error("given or not is told wrongly")
	}
}

func TestPasswordIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	p := NewPassword(path, nil)
	if text, err := p.Get(); err == nil || text != "" {
		t.Errorf("without a file: %q, %v", text, err)
	}
	for _, tt := range []struct{ content, want string }{
		{"one", "one"}, {"two\n", "two"}, {"three\r\n", "three"}, {" a b ", " a b "}, {"", " a b "}, {"\n", " a b "}, {"four", "four"},
	} {
		write(t, path, tt.content)
		if text, err := p.Get(); err != nil || text != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.content, text, err, tt.want)
		}
	}
}

// What is read never stands in a text for others.
func TestNoSecretInTexts(t *testing.T) {
	const secret = "Hunter2"
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	write(t, path, "-----BEGIN PRIVATE KEY-----\n"+secret+"\n-----END PRIVATE KEY-----\n")
	for _, f := range []Files{{CA: path}, {Cert: path, Key: path}} {
		if err := f.Check(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
