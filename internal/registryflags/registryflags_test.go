package registryflags

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// read reads what is in values.
func read(values map[string]string) (Settings, error) {
	return Read(func(name string) string { return values[name] })
}

func TestAddresses(t *testing.T) {
	for list, want := range map[string]string{
		"a:1":                     "a:1",
		" a:1 , b:2 ":             "a:1|b:2",
		"a:1,":                    "a:1",
		"a:1,b:2, ":               "a:1|b:2",
		"a:1\r\n":                 "a:1",
		"[::1]:1,https://b:2/":    "[::1]:1|https://b:2/",
		"http://a,unix:///s.sock": "http://a|unix:///s.sock",
	} {
		s, err := read(map[string]string{Address: list})
		if got := strings.Join(s.Addrs, "|"); err != nil || got != want {
			t.Errorf("%q: got %q, %v", list, got, err)
		}
	}
	for list, want := range map[string]string{
		",":                     "address 1 of 2 is empty",
		",a:1":                  "address 1 of 2 is empty",
		"a:1,,b:2":              "address 2 of 3 is empty",
		"a:1,,":                 "address 2 of 3 is empty",
		"a:1;b:2":               "commas separate them: a:1,b:2",
		"a:1; b:2":              "commas separate them: a:1,b:2",
		"a:1 b:2":               "commas separate them: a:1,b:2",
		"a:1,b:2 c:3":           "commas separate them: a:1,b:2,c:3",
		"a:1|b:2":               "commas separate them: a:1,b:2",
		`"a:1"`:                 "leave them out",
		`'a:1,b:2'`:             "leave them out",
		`"a:1","b:2"`:           "leave them out",
		`a:1,"b:2"`:             "leave them out",
		"http://u:hunter2@a:1":  "do not belong",
		`"http://hunter2@a:1"`:  "leave them out",
		"a:1,u:hunter2@b:1;c:1": "do not belong",
	} {
		_, err := read(map[string]string{Address: list})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), Address) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q", list, err, want)
		}
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	t.Setenv("MICRO_REGISTRY_ADDRESS", "a,,b\r\n")
	_, err := read(map[string]string{Address: "a,,b\r\n"})
	if err == nil || err.Error() != `--registry_address="a,,b": address 2 of 3 is empty (given by MICRO_REGISTRY_ADDRESS)` {
		t.Error(err)
	}
	var wrong *Error
	if _, err := read(map[string]string{Address: "c,,b"}); !errors.As(err, &wrong) || err.Error() != `--registry_address="c,,b": address 2 of 3 is empty` {
		t.Error(err)
	}
}

// TestTheFirstWrongOneIsReported makes everything wrong at once.
func TestTheFirstWrongOneIsReported(t *testing.T) {
	values := map[string]string{}
	for _, name := range slices.Backward(Names()) {
		if secret(name) {
			continue
		}
		values[name] = `"quoted"`
		for range 20 {
			if _, err := read(values); err == nil || !strings.HasPrefix(err.Error(), "--"+name+"=") {
				t.Fatalf("with %s: %v", name, err)
			}
		}
	}
}

func TestWhatWasNotGivenStays(t *testing.T) {
	o := registry.Options{Addrs: []string{"own:1"}, Timeout: time.Second, TLSConfig: &tls.Config{ServerName: "own", MinVersion: tls.VersionTLS13}}
	etcd.Auth("own", "secret")(&o)
	etcd.Namespace("own")(&o)
	s, err := read(map[string]string{ServerName: "given", User: "given"})
	if err != nil {
		t.Fatal(err)
	}
	own := o.TLSConfig
	s.Option()(&o)
	if err := s.Check(o); err != nil {
		t.Error(err)
	}
	if own.ServerName != "own" {
		t.Error("the program's tls.Config was changed")
	}
	if o.Addrs[0] != "own:1" || o.Timeout != time.Second || o.TLSConfig.ServerName != "given" || o.TLSConfig.MinVersion != tls.VersionTLS13 {
		t.Errorf("got %+v", o)
	}
	r := etcd.NewRegistry(func(to *registry.Options) { *to = o })
	if err := r.Init(); err != nil {
		t.Error(err)
	}
}

func TestPasswordsMayLookOdd(t *testing.T) {
	for _, password := range []string{`"hunter2"`, " hunter2 ", "hun,ter@2", "hunter2\r\n"} {
		s, err := read(map[string]string{User: "u", Password: password})
		if want := strings.TrimRight(password, "\r\n"); err != nil || s.access.Password != want {
			t.Errorf("%q: got %q, %v", password, s.access.Password, err)
		}
	}
}

func TestPasswordOrFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("filed"), 0o600); err != nil {
		t.Fatal(err)
	}
	const variable, flag = true, false
	for _, tt := range []struct {
		password, file bool // by variable
		want           string
	}{
		{flag, variable, "typed"}, {variable, flag, file}, {flag, flag, ""}, {variable, variable, ""},
	} {
		t.Setenv("MICRO_REGISTRY_PASSWORD", "")
		t.Setenv("MICRO_REGISTRY_PASSWORD_FILE", "")
		if tt.password == variable {
			t.Setenv("MICRO_REGISTRY_PASSWORD", "typed")
		}
		if tt.file == variable {
			t.Setenv("MICRO_REGISTRY_PASSWORD_FILE", file)
		}
		s, err := read(map[string]string{User: "u", Password: "typed", PasswordFile: file})
		if got := s.access.Password + s.access.PasswordFile; (err == nil) != (tt.want != "") || err == nil && got != tt.want {
			t.Errorf("%+v: got %q, %v", tt, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "typed") {
			t.Errorf("told the password: %v", err)
		}
	}
}
