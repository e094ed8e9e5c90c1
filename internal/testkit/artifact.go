package testkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// artifactsVariable names the directory in which tests that fail leave files for
// whoever looks into it. Without it they go to the directory of temporary files.
const artifactsVariable = "ROLLCALL_ARTIFACTS"

// Artifact writes a file that outlives the test and says where it is.
func Artifact(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := artifact(t, os.Getenv(artifactsVariable), name, text); err != nil {
		t.Errorf("save %s: %v", name, err)
	}
}

func artifact(t testing.TB, dir, name string, text []byte) error {
	t.Helper()
	prefix := strings.Map(func(r rune) rune {
		if r == '/' || r == filepath.Separator || r == ' ' {
			return '-'
		}
		return r
	}, t.Name())
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(dir, prefix+"-*-"+name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		t.Logf("saved: %s", f.Name())
	}
	return err
}
